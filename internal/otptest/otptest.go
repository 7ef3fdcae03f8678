// Package otptest lets tests run against the real thing: OTP's own epmd and erl.
package otptest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goepmd/goepmd/internal/otptest/evalloop"
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
	missing(tb, what, "erlang-base")
}

// MissingProgram is Missing for a program that is not of OTP, and a package that has it.
func MissingProgram(tb testing.TB, program, packages, untested string) {
	tb.Helper()
	lacks(tb, fmt.Sprintf("%s is missing, so %s; to get it: apt-get install %s", program, untested, packages))
}

func missing(tb testing.TB, what, packages string) {
	tb.Helper()
	lacks(tb, fmt.Sprintf("%s is missing, so nothing is compared with the real OTP; "+
		"to get it: apt-get install %s (or run `make setup`)", what, packages))
}

func lacks(tb testing.TB, text string) {
	tb.Helper()
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

// SSL makes sure that OTP's application ssl is there, for distribution over TLS.
func SSL(tb testing.TB) {
	tb.Helper()
	found, err := filepath.Glob(filepath.Join(Root(tb), "lib", "ssl-*"))
	if err != nil || len(found) == 0 {
		missing(tb, "OTP's application ssl", "erlang-ssl")
	}
}

// Dialyzer makes sure that OTP's dialyzer is there.
func Dialyzer(tb testing.TB) {
	tb.Helper()
	Erl(tb)
	if _, err := exec.LookPath("dialyzer"); err != nil {
		missing(tb, "OTP's dialyzer", "erlang-dialyzer")
	}
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
	stdin io.Closer
	loop  *evalloop.Loop
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

// StartNode starts a node and waits until it is up. The test's end kills it.
func StartNode(tb testing.TB, c NodeConfig) *Node {
	tb.Helper()
	n, err := TryStartNode(tb, c)
	if err != nil {
		tb.Fatalf("node %s does not start: %v\n%s", c.Name, err, n.printed())
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
	args = append(args, "-eval", evalloop.Erlang)
	cmd := exec.Command(c.Erl, args...)
	home := tb.TempDir()
	cmd.Env = append(os.Environ(), fmt.Sprintf("ERL_EPMD_PORT=%d", c.Port), "HOME="+home, "ERL_CRASH_DUMP_BYTES=0")
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.Dir = home
	n := &Node{tb: tb, cmd: cmd}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return n, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return n, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return n, err
	}
	n.stdin = stdin
	n.loop = evalloop.Start(stdin, out)
	tb.Cleanup(n.Kill)
	ctx, cancel := within()
	defer cancel()
	n.Name, err = n.loop.Ready(ctx)
	return n, err
}

// within bounds one wait by patience.
func within() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.Background(), patience, fmt.Errorf("no answer within %v", patience))
}

// printed is what the node has printed, if it was started at all.
func (n *Node) printed() string {
	if n.loop == nil {
		return ""
	}
	return n.loop.Printed()
}

// Eval evaluates an expression on the node and gives its value as text.
func (n *Node) Eval(format string, args ...any) string {
	n.tb.Helper()
	expr := fmt.Sprintf(format, args...)
	ctx, cancel := within()
	defer cancel()
	answer, err := n.loop.Eval(ctx, expr+".")
	if err != nil {
		n.tb.Fatalf("node %s: %s: %v\n%s", n.Name, expr, err, n.printed())
	}
	return answer
}

// Kill ends the node at once, as a crash would, and waits for its end.
func (n *Node) Kill() {
	_ = n.cmd.Process.Kill() // it may have ended already
	_ = n.stdin.Close()
	<-n.loop.Ended()
	_ = n.cmd.Wait() // how it ended does not matter
}
