package faults_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
)

// patience bounds what should happen at once, on a machine that is busy.
const patience = 30 * time.Second

// shortly is how long OTP's epmd is watched while it answers nobody.
const shortly = 5 * time.Second

// plenty is a limit of open files that no experiment reaches.
const plenty = 20000

// otp is the name of the subject that is OTP's own epmd.
const otp = "OTP"

// subjects are the programs that go through each experiment.
var subjects = []struct {
	name string
	find func(t *testing.T) rig.Program
}{
	{otp, func(t *testing.T) rig.Program { return rig.Program{Path: otptest.Epmd(t)} }},
	{"ours, epoll", func(*testing.T) rig.Program { return rig.Program{Path: programs.epmd} }},
	{"ours, portable", func(*testing.T) rig.Program {
		return rig.Program{Path: programs.embedded, Args: []string{"-engine", "portable"}, Tells: true}
	}},
}

// otpName is OTP with its version, as far as it is known.
func otpName() string {
	name := otp
	for _, dir := range []string{"/usr/lib/erlang", "/usr/local/lib/erlang"} {
		found, _ := filepath.Glob(filepath.Join(dir, "releases", "[0-9]*")) // the pattern is good
		for _, f := range found {
			name = otp + " " + filepath.Base(f)
		}
	}
	return name
}

// trial is one experiment on one subject.
type trial struct {
	*testing.T
	ours    bool
	program rig.Program
	d       *rig.Daemon
	dial    *rig.Dialer
	steady  []*rig.Conn // see hold
	names   []string
}

// experiment puts every subject through an experiment, which says in a few words what
// happened.
func experiment(t *testing.T, name string, run func(*trial) string) {
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			findings.note(name, s.name, "is missing")
			x := &trial{T: t, ours: s.name != otp, program: s.find(t)}
			findings.note(name, s.name, "FAILED")
			cell := run(x)
			findings.note(name, s.name, cell)
			t.Log(cell)
		})
	}
}

// start starts the subject.
func (x *trial) start(o rig.Options) {
	x.Helper()
	d, err := rig.Start(x.Context(), x.program, o)
	require.NoError(x, err)
	x.Cleanup(d.Stop)
	x.d, x.dial = d, &rig.Dialer{Port: d.Port, Block: 1, Patience: patience}
}

// hurried is the dialer of one who does not wait long.
func (x *trial) hurried() *rig.Dialer {
	return &rig.Dialer{Port: x.d.Port, Block: 2, Patience: shortly}
}

// hold registers some nodes, which must not be lost.
func (x *trial) hold(n int) {
	x.Helper()
	for range n {
		name := fmt.Sprintf("steady-%d", len(x.names))
		c, err := x.dial.Register(name, steadyPort(len(x.names)))
		require.NoError(x, err)
		x.Cleanup(c.Close)
		x.steady, x.names = append(x.steady, c), append(x.names, name)
	}
}

func steadyPort(i int) uint16 { return uint16(10000 + i) }

// checkHeld sees that all of hold are still registered.
func (x *trial) checkHeld() {
	x.Helper()
	for i, c := range x.steady {
		require.True(x, c.Open(), "the connection of %s was closed", x.names[i])
		port, found, err := x.dial.Lookup(x.names[i])
		require.NoError(x, err, "lookup of %s", x.names[i])
		require.True(x, found, "%s is lost", x.names[i])
		require.Equal(x, steadyPort(i), port, x.names[i])
	}
}

// awaitOnlyHeld waits until nobody but those of hold is registered.
func (x *trial) awaitOnlyHeld() {
	x.Helper()
	want := slices.Sorted(slices.Values(x.names))
	require.Eventually(x, func() bool {
		list, err := x.dial.List()
		return err == nil && slices.Equal(want, slices.Sorted(maps.Keys(list)))
	}, patience, 20*time.Millisecond, "others are still registered")
}

// crowd makes connections that the end of the test closes.
func (x *trial) crowd(d *rig.Dialer, n int, greet func(i int, c *rig.Conn)) []*rig.Conn {
	var all []*rig.Conn
	for i := range n {
		c, err := d.Dial()
		if err != nil {
			require.False(x, x.ours && x.d.Died() == "", "connection %d of %d: %v", i, n, err)
			break
		}
		x.Cleanup(c.Close)
		all = append(all, c)
		if greet != nil {
			greet(i, c)
		}
	}
	return all
}

func open(all []*rig.Conn) int {
	n := 0
	for _, c := range all {
		if c.Open() {
			n++
		}
	}
	return n
}

// share is how much of one CPU the daemon takes while f runs.
func (x *trial) share(f func()) float64 {
	x.Helper()
	before, err := x.d.CPU()
	require.NoError(x, err)
	begun := time.Now()
	f()
	after, err := x.d.CPU()
	require.NoError(x, err)
	return float64(after-before) / float64(time.Since(begun))
}

// asked is what came of lookups, one after the other.
type asked struct {
	times  []time.Duration
	failed int
	first  error // of those that failed
}

// ask looks up the first of hold again and again, until stop is closed, but at least so
// many times.
func (x *trial) ask(d *rig.Dialer, least int, stop <-chan struct{}) asked {
	var a asked
	for {
		begun := time.Now()
		port, found, err := d.Lookup(x.names[0])
		if err == nil && (!found || port != steadyPort(0)) {
			err = fmt.Errorf("%w: %v %d", rig.ErrWrong, found, port)
		}
		if err != nil {
			a.failed++
			if a.first == nil {
				a.first = err
			}
		} else {
			a.times = append(a.times, time.Since(begun))
		}
		if len(a.times)+a.failed < least {
			continue
		}
		select {
		case <-stop:
			return a
		default:
		}
	}
}

func (a asked) String() string {
	all := len(a.times) + a.failed
	if len(a.times) == 0 {
		return fmt.Sprintf("none of %d lookups answered (%v)", all, a.first)
	}
	slices.Sort(a.times)
	var b strings.Builder
	if a.failed > 0 {
		fmt.Fprintf(&b, "%d of %d lookups not answered, of the others", a.failed, all)
	} else {
		fmt.Fprintf(&b, "%d lookups answered,", all)
	}
	fmt.Fprintf(&b, " median %s, slowest %s", short(a.times[len(a.times)/2]), short(a.times[len(a.times)-1]))
	return b.String()
}

// short is a duration for the table.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	default:
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
}

// closed is a channel that waits for nobody.
func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// dead says that OTP's daemon has ended, in the words of the table.
func (x *trial) dead() string {
	select {
	case <-x.d.Ended():
		return "the daemon ends (" + x.d.Died() + ")"
	case <-time.After(time.Second):
		return ""
	}
}
