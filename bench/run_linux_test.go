package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// brokenEnv makes this program a daemon with a defect, by its value.
const brokenEnv = "GOEPMD_BENCH_BROKEN"

func TestMain(m *testing.M) {
	if how := os.Getenv(brokenEnv); how != "" {
		os.Exit(broken(how, os.Args[1:]))
	}
	status := m.Run()
	if built != "" {
		_ = os.RemoveAll(built) // the system clears its own folder of such
	}
	os.Exit(status)
}

// broken is a daemon with a defect: "dies" ends at the first lookup of a node,
// "mute" closes each unanswered.
func broken(how string, args []string) int {
	if len(args) < 2 || args[0] != "-port" {
		return 2
	}
	ln, err := net.Listen("tcp", "127.0.0.1:"+args[1])
	if err != nil {
		return 2
	}
	fmt.Fprintln(os.Stderr, new(epmd.Server).Serve(brokenListener{ln, how}))
	return 0
}

type brokenListener struct {
	net.Listener
	how string
}

func (l brokenListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return brokenConn{c, l.how}, err
}

type brokenConn struct {
	net.Conn
	how string
}

func (c brokenConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	switch {
	case n <= wire.HeaderLen || !bytes.HasPrefix(b[wire.HeaderLen:n], []byte("znode")):
		return n, err // whoever waits until the daemon is there asks for another name
	case c.how == "dies":
		os.Exit(3)
	}
	return 0, io.EOF
}

// built is the folder of the program of this tree, once build has built it.
var built string

// build gives the program of this tree, which it builds for the first test that wants it.
func build(t *testing.T) Program {
	t.Helper()
	if built == "" {
		dir, err := os.MkdirTemp("", "goepmd")
		require.NoError(t, err)
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "epmd"), "../cmd/epmd")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		built = dir
	}
	return Program{Name: "ours", Path: filepath.Join(built, "epmd")}
}

func short(a, b Program) Plan {
	return Plan{A: a, B: b, Modes: Modes, Nodes: []int{10}, Pairs: 1, Time: time.Second / 20, Clients: 4}
}

// checkRun: every mode has done something on both sides, and nothing went wrong.
func checkRun(t *testing.T, rep Report) {
	t.Helper()
	require.Len(t, rep.Cells, len(Modes))
	for _, c := range rep.Cells {
		for _, s := range []Side{c.Pairs[0].A, c.Pairs[0].B} {
			require.Equal(t, 10, s.Held, c.Mode)
			require.Empty(t, s.troubles(10), c.Mode)
			if c.Mode == Idle {
				require.Positive(t, s.Idle.Empty)
				require.Positive(t, s.Idle.FillCPU)
				require.Positive(t, s.Idle.Gone)
				require.Zero(t, s.Idle.Lost)
				continue
			}
			require.Positive(t, s.Load.Ops, c.Mode)
			require.Positive(t, s.Load.ServerCPU, c.Mode)
			require.Positive(t, s.Load.ClientCPU, c.Mode)
			require.Positive(t, s.Load.P50, c.Mode)
			require.LessOrEqual(t, s.Load.P99, s.Load.P999, c.Mode)
		}
	}
}

// TestOurs: the program of this tree against itself, and the order of pairs.
func TestOurs(t *testing.T) {
	ours := build(t)
	var sides []string
	pairs := 0
	p := short(ours, Program{Name: "again", Path: ours.Path})
	rep, err := Run(t.Context(), p, Hooks{
		Side: func(_ Mode, _, _ int, name string) { sides = append(sides, name) },
		Pair: func(Cell) { pairs++ },
	})
	require.NoError(t, err)
	checkRun(t, rep)
	require.Equal(t, len(Modes), pairs)
	require.Len(t, sides, 2*len(Modes))
	require.NoError(t, rep.Text(io.Discard))

	sides = nil
	p.Modes, p.Pairs = []Mode{Lookup}, 3
	rep, err = Run(t.Context(), p, Hooks{Side: func(_ Mode, _, _ int, name string) { sides = append(sides, name) }})
	require.NoError(t, err)
	require.Equal(t, []string{"ours", "again", "again", "ours", "ours", "again"}, sides)
	require.Equal(t, "B", rep.Cells[0].Pairs[1].First)
}

func TestOTP(t *testing.T) {
	theirs := otptest.Epmd(t)
	rep, err := Run(t.Context(), short(build(t), Program{Name: "otp", Path: theirs}), Hooks{})
	require.NoError(t, err)
	checkRun(t, rep)
}

// TestStops: a daemon that cannot hold the nodes is a result, not an error.
func TestStops(t *testing.T) {
	few := Program{Name: "few", Path: "/bin/sh", Args: []string{"-c", `ulimit -n 60; exec "$0" "$@"`, build(t).Path}}
	p := short(few, few)
	p.Modes, p.Nodes = []Mode{Lookup, Idle}, []int{200}
	rep, err := Run(t.Context(), p, Hooks{})
	require.NoError(t, err)
	s := rep.Cells[0].Pairs[0].A
	require.Nil(t, s.Load)
	require.NotEmpty(t, s.Stopped)
	require.Positive(t, s.Held)
	require.Less(t, s.Held, 60)
	require.Empty(t, s.Died)
	require.Contains(t, rep.Cells[0].holds("A", Spread{}), "stops at")
}

// TestBroken: what a daemon does wrong is counted, and its death is told.
func TestBroken(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	p := short(Program{Name: "a", Path: self}, Program{Name: "b", Path: self})
	p.Modes = []Mode{Lookup}

	t.Setenv(brokenEnv, "mute")
	rep, err := Run(t.Context(), p, Hooks{})
	require.NoError(t, err)
	load := rep.Cells[0].Pairs[0].A.Load
	require.Zero(t, load.Ops)
	require.Positive(t, load.Failed[errShort.Error()])
	require.Equal(t, load.Failed[errShort.Error()], load.FailedOps())
	require.Zero(t, rep.Cells[0].Summary().CPU.A.N)

	t.Setenv(brokenEnv, "dies")
	rep, err = Run(t.Context(), p, Hooks{})
	require.NoError(t, err)
	require.Equal(t, "exit status 3", rep.Cells[0].Pairs[0].A.Died)
}

func TestCannotRun(t *testing.T) {
	nobody := Program{Name: "nobody", Path: "/nonexistent/epmd"}
	_, err := Run(t.Context(), short(nobody, nobody), Hooks{})
	require.ErrorContains(t, err, "nobody: /nonexistent/epmd does not start")
	_, err = Run(t.Context(), Plan{}, Hooks{})
	require.ErrorContains(t, err, "name a mode")

	ctx, cancel := context.WithCancel(t.Context())
	ours := build(t)
	rep, err := Run(ctx, short(ours, ours), Hooks{Pair: func(Cell) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, rep.Cells, 1, "what was measured before is kept")
}

// TestClientIsCheap: what is done ten thousand times a second allocates nothing.
func TestClientIsCheap(t *testing.T) {
	d, err := startDaemon(t.Context(), build(t))
	require.NoError(t, err)
	t.Cleanup(d.Stop)
	set := newNodes(10)
	held := fill(t.Context(), d, set, 2)
	t.Cleanup(held.close)
	require.Empty(t, held.stopped)
	for _, m := range []Mode{Lookup, Names, Register, Restart, Churn} {
		all, err := newSteps(m, d, set, held, 1)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if err := all[0].do(); err != nil {
				panic(err)
			}
		}), m)
		all[0].end()
		// The next mode begins when the daemon knows that they are gone.
		require.Eventually(t, func() bool {
			list, err := d.list(20)
			if err != nil {
				return false
			}
			_, err = checkList(list, held.nodes)
			return err == nil
		}, time.Minute, time.Millisecond)
	}
}
