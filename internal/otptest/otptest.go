// Package otptest lets tests run against the real thing: OTP's own epmd and erl.
package otptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// requireEnv, set to 1, makes a test fail that would be skipped for want of OTP.
const requireEnv = "GOEPMD_REQUIRE_OTP"

// patience is how long anything may take that should happen at once, on a
// machine that is busy.
const patience = 60 * time.Second

// Missing skips a test, or fails it if OTP is required. It says how to get what
// is missing.
func Missing(tb testing.TB, what string) {
	tb.Helper()
	text := fmt.Sprintf("%s is missing, so nothing is compared with the real OTP; "+
		"to get it: apt-get install erlang-base (or run `make setup`)", what)
	if os.Getenv(requireEnv) == "1" {
		tb.Fatalf("%s; %s=1 makes that a failure", text, requireEnv)
	}
	tb.Skipf("SKIPPED: %s", text)
}

// Epmd is the path of OTP's own epmd program.
func Epmd(tb testing.TB) string {
	tb.Helper()
	root := Root(tb)
	found, err := filepath.Glob(filepath.Join(root, "erts-*", "bin", "epmd"))
	if err != nil || len(found) == 0 {
		Missing(tb, "OTP's epmd program below "+root)
	}
	return found[0]
}

// Erl is the path of OTP's erl program.
func Erl(tb testing.TB) string {
	tb.Helper()
	path, err := exec.LookPath("erl")
	if err != nil {
		Missing(tb, "OTP's erl program")
	}
	return path
}

var root = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "erl", "-noshell", "-eval", `io:format("~s", [code:root_dir()]), halt().`).Output()
	return string(out), err
})

// Root is the folder in which OTP is installed.
func Root(tb testing.TB) string {
	tb.Helper()
	Erl(tb)
	dir, err := root()
	if err != nil {
		tb.Fatalf("erl does not run: %v", err)
	}
	return dir
}

// Node is a running Erlang node, which evaluates what it is told.
type Node struct {
	// Name is the node's full name, "NAME@HOST".
	Name string

	tb    testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string
	log   *syncBuffer
	ended chan struct{}
}

// NodeConfig says how to start a [Node].
type NodeConfig struct {
	// Name is the whole name for -name if it holds a dot behind the @, else the
	// name for -sname.
	Name string
	// Port is that of the epmd to register with.
	Port int
	// Erl is the erl program; empty is the one in PATH.
	Erl string
	// Env is added to the environment.
	Env []string
	// Args are added to the command line. Unless StartEpmd is set, the node
	// starts no epmd by itself.
	Args      []string
	StartEpmd bool
}

// serverLoop reads lines of "term." from standard input, evaluates each as an
// expression and answers with one line.
const serverLoop = `
Loop = fun Loop() ->
  case io:get_line("") of
    eof -> halt(0);
    Line ->
      Answer = try
        {ok, Tokens, _} = erl_scan:string(Line),
        {ok, Exprs} = erl_parse:parse_exprs(Tokens),
        {value, V, _} = erl_eval:exprs(Exprs, []),
        V
      catch C:R -> {'EXIT', C, R}
      end,
      io:format("ANSWER ~0p~n", [Answer]),
      Loop()
  end
end,
io:format("READY ~s~n", [node()]),
Loop().`

// StartNode starts a node and waits until it is up. The test's end kills it.
func StartNode(tb testing.TB, c NodeConfig) *Node {
	tb.Helper()
	n, err := TryStartNode(tb, c)
	if err != nil {
		tb.Fatalf("node %s does not start: %v\n%s", c.Name, err, n.log.String())
	}
	return n
}

// TryStartNode is StartNode for a node that may fail to start.
func TryStartNode(tb testing.TB, c NodeConfig) (*Node, error) {
	tb.Helper()
	if c.Erl == "" {
		c.Erl = Erl(tb)
	}
	flag := "-sname"
	if _, host, _ := strings.Cut(c.Name, "@"); strings.Contains(host, ".") {
		flag = "-name"
	}
	args := []string{"-noshell", flag, c.Name, "-setcookie", "goepmd_test"}
	if !c.StartEpmd {
		args = append(args, "-start_epmd", "false")
	}
	args = append(args, c.Args...)
	args = append(args, "-eval", strings.ReplaceAll(serverLoop, "\n", " "))
	cmd := exec.Command(c.Erl, args...)
	home := tb.TempDir()
	cmd.Env = append(os.Environ(), fmt.Sprintf("ERL_EPMD_PORT=%d", c.Port), "HOME="+home, "ERL_CRASH_DUMP_BYTES=0")
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.Dir = home
	n := &Node{tb: tb, cmd: cmd, lines: make(chan string, 64), log: new(syncBuffer), ended: make(chan struct{})}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return n, err
	}
	n.stdin = stdin
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return n, err
	}
	cmd.Stderr = n.log
	if err := cmd.Start(); err != nil {
		return n, err
	}
	go n.read(stdout)
	tb.Cleanup(n.Kill)
	name, err := n.next("READY ")
	n.Name = name
	return n, err
}

// read passes on what the node prints, until its end.
func (n *Node) read(stdout io.Reader) {
	defer close(n.ended)
	defer close(n.lines)
	var rest []byte
	buf := make([]byte, 4096)
	for {
		k, err := stdout.Read(buf)
		rest = append(rest, buf[:k]...)
		for {
			line, after, found := bytes.Cut(rest, []byte("\n"))
			if !found {
				break
			}
			rest = after
			_, _ = n.log.Write(append(bytes.Clone(line), '\n')) // never fails
			n.lines <- string(line)
		}
		if err != nil {
			_ = n.cmd.Wait() // how it ended does not matter
			return
		}
	}
}

// next waits for a line with a prefix and gives the rest of it.
func (n *Node) next(prefix string) (string, error) {
	deadline := time.After(patience)
	for {
		select {
		case line, open := <-n.lines:
			if !open {
				return "", errors.New("the node has ended")
			}
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return rest, nil
			}
		case <-deadline:
			return "", fmt.Errorf("no answer within %v", patience)
		}
	}
}

// Eval evaluates an expression on the node and gives its value as text.
func (n *Node) Eval(format string, args ...any) string {
	n.tb.Helper()
	expr := fmt.Sprintf(format, args...)
	if _, err := io.WriteString(n.stdin, expr+".\n"); err != nil {
		n.tb.Fatalf("node %s: %v\n%s", n.Name, err, n.log.String())
	}
	answer, err := n.next("ANSWER ")
	if err != nil {
		n.tb.Fatalf("node %s: %s: %v\n%s", n.Name, expr, err, n.log.String())
	}
	return answer
}

// Kill ends the node at once, as a crash would, and waits for its end.
func (n *Node) Kill() {
	if n.cmd.Process == nil {
		return
	}
	_ = n.cmd.Process.Kill() // it may have ended already
	_ = n.stdin.Close()
	for range n.lines { // let the reader see the end
	}
	<-n.ended
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
