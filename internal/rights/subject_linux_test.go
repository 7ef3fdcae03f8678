package rights

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
)

// rules are which lists a daemon is given.
type rules int

const (
	noLists    rules = iota
	withLists        // all four, of the listed networks
	emptyLists       // all four, of nobody
)

func (r rules) String() string { return [...]string{"no lists", "lists", "empty lists"}[r] }

// networks are the lists; nil is none.
func (r rules) networks() []netip.Prefix {
	if r == noLists {
		return nil
	}
	list := []netip.Prefix{}
	if r == withLists {
		for _, s := range strings.Split(listed, ",") {
			list = append(list, netip.MustParsePrefix(s))
		}
	}
	return list
}

// args are the same as flags.
func (r rules) args() []string {
	if r == noLists {
		return nil
	}
	text := ""
	if r == withLists {
		text = listed
	}
	return []string{"-allow_lookup", text, "-allow_names", text, "-allow_register", text, "-allow_stop", text}
}

// running is a daemon that runs.
type running struct {
	port   uint16
	log    *testbed.Output
	server *epmd.Server // nil if it is in another process
	ended  <-chan struct{}
	status func() string // how it ended
	otp    bool
	denied int // how many requests it should have denied
}

// subjects are what plays each cell. The lists are ours, so OTP's epmd has none.
var subjects = []struct {
	name  string
	otp   bool
	start func(t *testing.T, r rules, relaxed bool) *running
}{
	{"epoll", false, embed(epmd.EngineEpoll, false)},
	{"epoll, one socket for both families", false, embed(epmd.EngineEpoll, true)},
	{"portable", false, embed(epmd.EnginePortable, false)},
	{"portable, one socket for both families", false, embed(epmd.EnginePortable, true)},
	{"program", false, func(t *testing.T, r rules, relaxed bool) *running {
		return runProgram(t, program, append(r.args(), "-d", "-multi_transport"), relaxed)
	}},
	{"OTP", true, func(t *testing.T, _ rules, relaxed bool) *running {
		d := runProgram(t, otptest.Epmd(t), nil, relaxed)
		d.otp = true
		return d
	}},
}

// embed is a server in this process. On one socket for both families peers of IPv4 have
// mapped addresses.
func embed(engine epmd.Engine, oneSocket bool) func(*testing.T, rules, bool) *running {
	return func(t *testing.T, r rules, relaxed bool) *running {
		t.Helper()
		log := new(testbed.Output)
		s := &epmd.Server{
			Engine: engine, RelaxedCommandCheck: relaxed, MultiTransport: true,
			AllowLookup: r.networks(), AllowNames: r.networks(), AllowRegister: r.networks(), AllowStop: r.networks(),
			Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}
		lns := listen(t, s, oneSocket)
		ended, status := make(chan struct{}), error(nil)
		port := uint16(lns[0].Addr().(*net.TCPAddr).Port)
		go func() {
			defer close(ended)
			status = s.Serve(lns...)
		}()
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return &running{port: port, log: log, server: s, ended: ended, status: func() string {
			if errors.Is(status, epmd.ErrKilled) {
				return "exit status 0"
			}
			return status.Error()
		}}
	}
}

// listen is the listeners of a server, on a port that is free for both families.
func listen(t *testing.T, s *epmd.Server, oneSocket bool) []net.Listener {
	t.Helper()
	if oneSocket {
		ln, err := net.Listen("tcp", ":0")
		require.NoError(t, err)
		return []net.Listener{ln}
	}
	for range 10 { // somebody else may take the port first
		port, err := testbed.FreePort()
		require.NoError(t, err)
		s.Port = port
		lns, err := s.Listen(t.Context())
		if !errors.Is(err, epmd.ErrAlreadyRunning) {
			require.NoError(t, err)
			return lns
		}
	}
	require.Fail(t, "no port is free")
	return nil
}

// runProgram is a program.
func runProgram(t *testing.T, path string, args []string, relaxed bool) *running {
	t.Helper()
	if relaxed {
		args = append(args, "-relaxed_command_check")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d, err := rig.Start(ctx, rig.Program{Path: path}, rig.Options{Args: args})
	require.NoError(t, err)
	t.Cleanup(d.Stop)
	return &running{port: d.Port, log: &d.Stderr, ended: d.Ended(), status: d.Died}
}

// state is what must not change by a denial: everything, of a server of our own; else
// what can be seen from outside.
func (d *running) state(t *testing.T) any {
	t.Helper()
	if d.server != nil {
		return d.server.View().Snapshot()
	}
	list, err := (&rig.Dialer{Port: d.port}).Ask(rig.Dump())
	require.NoError(t, err)
	return string(list)
}

// requireDenied sees that denials are counted and logged, each in a line of its own and
// some in a warning.
func (d *running) requireDenied(t *testing.T) {
	t.Helper()
	if d.otp || d.denied == 0 {
		return
	}
	if d.server != nil {
		require.EqualValues(t, d.denied, d.server.Stats().Denied)
	}
	require.Eventually(t, func() bool {
		log := d.log.String()
		lines := strings.Count(log, "verdict=close reply_bytes=0 err=")
		return lines == d.denied && strings.Contains(log, "a request is denied")
	}, patience, time.Millisecond, "%d denials: %s", d.denied, d.log)
}
