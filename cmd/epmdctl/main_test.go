package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

// patience is how long anything may take that should happen at once.
const patience = time.Minute

func TestMain(m *testing.M) {
	testscript.Main(clean{m}, map[string]func(){"epmdctl": func() { os.Exit(mainStatus()) }})
}

// clean runs the tests, not the program that scripts call, without what the environment
// says.
type clean struct{ *testing.M }

func (c clean) Run() int {
	for _, name := range []string{envPort, "NO_COLOR"} {
		_ = os.Unsetenv(name) // cannot fail for such names
	}
	return c.M.Run()
}

// goNode is a node written in Go, and gives its port.
func goNode(t *testing.T, name string) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	n := cnode.Node{Name: name, Cookie: "secret", Creation: 5}
	ctx := t.Context()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return // closed by the test's end
			}
			go func() {
				if conn, err := n.Accept(ctx, c); err == nil {
					_ = conn.Serve(ctx) // until the other leaves
					_ = conn.Close()
				}
			}()
		}
	}()
	return uint16(ln.Addr().(*net.TCPAddr).Port)
}

func freePort(t *testing.T) int {
	t.Helper()
	p, err := testbed.FreePort()
	require.NoError(t, err)
	return int(p)
}

// TestScripts plays testdata/*.txtar.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { playScript(t, file) })
	}
}

// TestShells: completion in real shells. Debian has them all.
func TestShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			if shell != "bash" {
				otptest.Heavy(t)
			}
			if _, err := exec.LookPath(shell); err != nil {
				otptest.MissingProgram(t, shell, shell, "completion in it is not tested")
			}
			playScript(t, filepath.Join("testdata/shells", shell+".txtar"))
		})
	}
}

// playScript plays a script with a daemon of its own at ERL_EPMD_PORT, that knows alpha, a
// node, and ghost, which has nobody at its port; and another at RELAXED_PORT with the
// relaxed command check. Nobody is at DEAD_PORT. IPV6 is what ::1 does there.
func playScript(t *testing.T, file string) {
	s := epmdtest.NewServer(t)
	relaxed := epmdtest.NewServer(t, func(s *epmd.Server) { s.RelaxedCommandCheck = true })
	alpha := goNode(t, "alpha@127.0.0.1")
	s.Node("alpha", alpha)
	s.Node("ghost", uint16(freePort(t)))
	relaxed.Node("gamma", 7)
	testscript.Run(t, testscript.Params{
		Files: []string{file},
		Setup: func(env *testscript.Env) error {
			env.Setenv(envPort, strconv.Itoa(s.Port()))
			env.Setenv("RELAXED_PORT", strconv.Itoa(relaxed.Port()))
			env.Setenv("DEAD_PORT", strconv.Itoa(freePort(t)))
			env.Setenv("ALPHA_PORT", strconv.Itoa(int(alpha)))
			env.Setenv("IPV6", "refuses")
			if testbed.CheckIPv6() != nil {
				env.Setenv("IPV6", "cannot be reached")
			}
			return nil
		},
		Condition: func(what string) (bool, error) {
			if what != "bash-completion" {
				return false, fmt.Errorf("nothing is known of the condition %q", what)
			}
			_, err := os.Stat("/usr/share/bash-completion/bash_completion")
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// await NAME... waits until exactly these are registered.
			"await": func(_ *testscript.TestScript, _ bool, names []string) { s.WaitNames(names...) },
			// awaitrelaxed does so for the other daemon.
			"awaitrelaxed": func(_ *testscript.TestScript, _ bool, names []string) { relaxed.WaitNames(names...) },
			// status N COMMAND... runs a command that must end with status N.
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				var exit *exec.ExitError
				if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
					ts.Fatalf("want status %s, got %v", args[0], err)
				}
			},
		},
	})
}

// call runs the program, and gives its status and what it wrote.
func call(t *testing.T, terminal bool, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), append([]string{"epmdctl"}, args...), streams{strings.NewReader(""), &o, &e, terminal})
	return code, o.String(), e.String()
}

// start runs the program until its context is ended, and gives its lines.
func start(t *testing.T, terminal bool, args ...string) (lines *bufio.Scanner, end func() int) {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"epmdctl"}, args...), streams{strings.NewReader(""), w, io.Discard, terminal})
		_ = w.Close() // ends the lines
	}()
	return bufio.NewScanner(r), func() int {
		cancel()
		_, _ = io.Copy(io.Discard, r) // what is still written
		return <-done
	}
}

// TestWatch: a line for each node that comes and goes, and for the daemon.
func TestWatch(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", 1)
	lines, end := start(t, false, "-p", strconv.Itoa(s.Port()), "nodes", "-watch", "-interval", "10ms")
	next := func(want string) {
		t.Helper()
		require.True(t, lines.Scan(), "the output ended before %q", want)
		require.Contains(t, lines.Text(), want)
	}
	next("+ a at port 1")
	b := s.Node("b c", 2)
	next(`+ "b c" at port 2`)
	require.NoError(t, b.Close())
	next(`- "b c" at port 2`)
	require.NoError(t, s.Close())
	next("! ")
	require.Equal(t, good, end())
}

func TestWatchJSON(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", 1)
	lines, end := start(t, true, "-p", strconv.Itoa(s.Port()), "nodes", "-w", "-l", "-i", "10ms", "-o", "json")
	require.True(t, lines.Scan())
	got := decoded[jsonChange](t, lines.Text())[0]
	require.Equal(t, "up a 1 77", fmt.Sprint(got.Change, " ", got.Name, " ", got.Port, " ", *got.Type))
	require.Equal(t, good, end())
}

// TestWatchTerminal: a terminal shows the list as it is.
func TestWatchTerminal(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", 1)
	lines, end := start(t, true, "-p", strconv.Itoa(s.Port()), "nodes", "-w", "-i", "10ms")
	seen := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("no %q", want)
	}
	seen("\x1b[H\x1b[J")
	seen("a     1")
	s.Node("b", 2)
	seen("2 nodes")
	seen("b     2")
	require.NoError(t, s.Close())
	seen("refused")
	require.Equal(t, good, end())
}

// TestWatcher: what is lost is told once, and what changed meanwhile when it is back.
func TestWatcher(t *testing.T) {
	var w watcher
	now := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	look := func(err error, names ...string) (out []string) {
		var rows []row
		for i, n := range names {
			rows = append(rows, row{Name: n, Port: uint16(len(names) - i)})
		}
		for _, c := range w.changes(rows, err, now) {
			out = append(out, c.String())
		}
		return out
	}
	require.Equal(t, []string{"03:04:05 + a at port 1", "03:04:05 + b at port 2"}, look(nil, "b", "a"))
	require.Empty(t, look(nil, "b", "a"))
	require.Equal(t, []string{"03:04:05 ! nobody there"}, look(fmt.Errorf("epmd: nobody there")))
	require.Empty(t, look(fmt.Errorf("still nobody")))
	require.Equal(t, []string{"03:04:05 ! EPMD answers again", "03:04:05 - b at port 2"}, look(nil, "a"))
}

func TestVerdict(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		times          []time.Duration
		lost           int
		warn, critical time.Duration
		code           int
		text           string
	}{
		{nil, 0, 0, 0, pingUnknown, "EPMD UNKNOWN - nothing was asked"},
		{nil, 2, 0, 0, pingCritical, "EPMD CRITICAL - 0 of 2 answered: gone; twice | lost=100%"},
		{
			[]time.Duration{1 * ms, 3 * ms}, 0, 0, 0, pingOK,
			"EPMD OK - 2 of 2 answered, 1.00 ms to 3.00 ms, 2.00 ms on average, 3 nodes | time=0.002000s;;;0 lost=0%;;;0;100 nodes=3",
		},
		{
			[]time.Duration{1 * ms}, 1, 0, 0, pingWarning,
			"EPMD WARNING - 1 of 2 answered, 1.00 ms to 1.00 ms, 1.00 ms on average, 3 nodes | time=0.001000s;;;0 lost=50%;;;0;100 nodes=3",
		},
		{
			[]time.Duration{5 * ms}, 0, 2 * ms, 9 * ms, pingWarning,
			"EPMD WARNING - 1 of 1 answered, 5.00 ms to 5.00 ms, 5.00 ms on average, 3 nodes | time=0.005000s;0.002;0.009;0 lost=0%;;;0;100 nodes=3",
		},
		{
			[]time.Duration{5 * ms}, 0, 2 * ms, 4 * ms, pingCritical,
			"EPMD CRITICAL - 1 of 1 answered, 5.00 ms to 5.00 ms, 5.00 ms on average, 3 nodes | time=0.005000s;0.002;0.004;0 lost=0%;;;0;100 nodes=3",
		},
	} {
		var sum tally
		for _, d := range c.times {
			sum.add(d, 3, nil)
		}
		for range c.lost {
			sum.add(time.Hour, 0, fmt.Errorf("epmd: gone\ntwice"))
		}
		code, text := sum.verdict(c.warn, c.critical)
		require.Equal(t, c.code, code)
		require.Equal(t, c.text, text)
	}
}

// TestPingUntilInterrupted: it counts until it is ended, and the end is no lost answer.
func TestPingUntilInterrupted(t *testing.T) {
	s := epmdtest.NewServer(t)
	lines, end := start(t, false, "-p", strconv.Itoa(s.Port()), "ping", "-c", "0", "-i", "1ms")
	for range 3 {
		require.True(t, lines.Scan())
		require.Contains(t, lines.Text(), "answer of")
	}
	require.Equal(t, pingOK, end())
}

// TestTransports: a daemon with the multi-transport extension tells them, if it is asked to,
// and of a node that is registered the old way none.
func TestTransports(t *testing.T) {
	s := epmdtest.NewServer(t, func(s *epmd.Server) { s.MultiTransport = true })
	port := strconv.Itoa(s.Port())
	s.Node("plain", 7)
	for _, tr := range []wire.Transport{{Name: "inet_tcp", Port: 8}, {Name: "inet_tls", Port: 9}} {
		req, err := wire.Node{Name: "both", Port: tr.Port, Transport: tr.Name, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}.AppendAlive3Req(nil)
		require.NoError(t, err)
		c, err := testbed.Dial(t.Context(), net.Dialer{}, testbed.Loopback(uint16(s.Port())))
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.Send(req))
		_, err = c.RecvLen(8, patience) // ALIVE3_RESP
		require.NoError(t, err)
	}
	code, out, errs := call(t, false, "-p", port, "nodes", "-long")
	require.Equal(t, good, code, errs)
	require.Regexp(t, `(?m)^both +8 +tcp +node `, out)
	code, out, errs = call(t, false, "-p", port, "nodes", "-transports")
	require.Equal(t, good, code, errs)
	require.Regexp(t, `(?m)^both +8 +inet_tcp:8 inet_tls:9 +node `, out)
	require.Regexp(t, `(?m)^plain +7 +tcp +node `, out)
	code, out, errs = call(t, false, "-p", port, "lookup", "-transports", "-o", "json", "both")
	require.Equal(t, good, code, errs)
	var got struct{ Transports []transport }
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, []transport{{"inet_tcp", 8}, {"inet_tls", 9}}, got.Transports)
}

// TestDoctorTerminal: marks and colours are for people, and NO_COLOR is heeded.
func TestDoctorTerminal(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("alpha", goNode(t, "alpha@127.0.0.1"))
	port := strconv.Itoa(s.Port())
	code, out, errs := call(t, true, "-p", port, "doctor", "alpha@127.0.0.1")
	require.Equal(t, good, code, "%s%s", out, errs)
	require.Contains(t, out, "\r\x1b[K… EPMD of 127.0.0.1")
	require.Contains(t, out, "\x1b[32m✓ \x1b[0m")
	code, out, _ = call(t, true, "-p", port, "doctor", "beta@127.0.0.1")
	require.Equal(t, answeredNo, code)
	require.Contains(t, out, "\x1b[31m✗ \x1b[0m")
	t.Setenv("NO_COLOR", "1")
	_, out, _ = call(t, true, "-p", port, "doctor", "beta@127.0.0.1")
	require.Contains(t, out, "✗ ")
	require.NotContains(t, out, "\x1b[31m")
	_, out, _ = call(t, false, "-p", port, "doctor", "beta@127.0.0.1")
	require.NotContains(t, out, "\x1b")
}

// TestDoctorErl: a real node on OTP's epmd is well, and found to be gone when it is.
func TestDoctorErl(t *testing.T) {
	d, err := testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
		return testbed.Command(otptest.Epmd(t), "-port", strconv.Itoa(int(port)))
	})
	require.NoError(t, err)
	t.Cleanup(d.Stop)
	port := int(d.Port)
	n := otptest.StartNode(t, otptest.NodeConfig{Name: "real@127.0.0.1", Port: port})

	t.Setenv(envPort, strconv.Itoa(port))
	code, out, errs := call(t, false, "doctor", "real@127.0.0.1")
	require.Equal(t, good, code, "%s%s", out, errs)
	require.Contains(t, out, "it is real@127.0.0.1")
	require.Contains(t, out, "All is well")
	code, out, _ = call(t, false, "nodes", "-long")
	require.Equal(t, good, code)
	require.Regexp(t, `(?m)^real +\d+ +tcp +node +5-6$`, out)

	n.Kill()
	require.Eventually(t, func() bool {
		code, _, _ := call(t, false, "lookup", "real@127.0.0.1")
		return code == answeredNo
	}, patience, 20*time.Millisecond)
	code, out, _ = call(t, false, "doctor", "-o", "json", "real@127.0.0.1")
	require.Equal(t, answeredNo, code)
	var rep doctor.Report
	require.NoError(t, json.Unmarshal([]byte(out), &rep))
	require.True(t, rep.Has(doctor.NameNotRegistered), out)
}

// TestDocs: docs/epmdctl.md has each code that the doctor gives.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/epmdctl.md")
	require.NoError(t, err)
	for _, c := range doctor.Codes() {
		require.Contains(t, string(b), "| `"+string(c)+"` |")
	}
}

func TestWrap(t *testing.T) {
	require.Equal(t, "  one two\n  three\n  fourfourfour\n", wrap("one two three  fourfourfour", "  ", 10))
}
