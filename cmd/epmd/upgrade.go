package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/goepmd/goepmd/epmd"
)

// predecessorEnv tells a daemon by which descriptor to take over from another, and
// journalEnv by which to go on with its journal.
const (
	predecessorEnv = "GOEPMD_PREDECESSOR_FD"
	journalEnv     = "GOEPMD_JOURNAL_FD"
)

// startPatience is how long a new program may take until it says that it is there.
const startPatience = 10 * time.Second

// upgrader replaces the running daemon by one of the program as it is now.
type upgrader struct {
	server  *epmd.Server
	log     *slog.Logger
	program string // looked at anew each time
	args    []string
	state   *stateFile
	systemd *systemd
	control control
	web     *webServer // nil without -http

	busy    sync.Mutex     // an upgrade is under way
	replies sync.WaitGroup // somebody is to be told how it went
}

// programPath is the path to start anew. It is the one that this program was started
// by, if that is known to be it: a link may point to something newer by then.
func programPath() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	called, err := exec.LookPath(os.Args[0])
	if err != nil {
		return exe, nil //nolint:nilerr // the other name is good too
	}
	if called, err = filepath.Abs(called); err != nil {
		return exe, nil //nolint:nilerr // likewise
	}
	a, errA := os.Stat(exe)
	b, errB := os.Stat(called)
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return called, nil
	}
	return exe, nil
}

var errUpgrading = errors.New("an upgrade is under way already")

// upgrade starts the program anew and hands over to it. It gives the number of the
// process that serves then. If it fails, this one goes on as if nothing had
// happened.
func (u *upgrader) upgrade(ctx context.Context) (pid int, err error) {
	if runtime.GOOS != "linux" { // where the engine alone would say so, with a child started for nothing
		u.log.Error("the upgrade failed, and this daemon goes on", "program", u.program, "err", epmd.ErrPortable)
		return 0, epmd.ErrPortable
	}
	if !u.busy.TryLock() {
		return 0, errUpgrading
	}
	defer u.busy.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("no answer within %v", startPatience))
	defer cancel()
	release := u.state.hold()
	u.control.close() // the next one wants the name
	pid, err = u.handOver(ctx)
	if err != nil {
		release()
		u.control.open(u)
		u.log.Error("the upgrade failed, and this daemon goes on", "program", u.program, "err", err)
		return 0, err
	}
	// The state file is the next one's now, and stays held.
	u.web.letGo()
	u.systemd.mainPID(pid)
	u.log.Info("handed over", "program", u.program, "pid", pid)
	return pid, nil
}

// handOver does it, and leaves no process behind if it fails.
func (u *upgrader) handOver(ctx context.Context) (int, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return 0, err
	}
	defer func() { _ = ours.Close() }() // everything has been said
	cmd := exec.Command(u.program, u.args...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{theirs}
	const firstExtra = 3
	cmd.Env = append(withoutOurs(os.Environ()), fmt.Sprintf("%s=%d", predecessorEnv, firstExtra))
	if j := u.systemd.journalFile(); j != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, j)
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", journalEnv, firstExtra+1))
	}
	web, err := u.web.file()
	if err != nil {
		_ = theirs.Close() // nothing was said
		return 0, fmt.Errorf("the listener of -http cannot be handed over: %w", err)
	}
	if web != nil {
		defer func() { _ = web.Close() }() // the child has its own
		cmd.ExtraFiles = append(cmd.ExtraFiles, web)
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", httpEnv, firstExtra+len(cmd.ExtraFiles)-1))
	}
	err = cmd.Start()
	_ = theirs.Close() // the child's copy counts
	if err != nil {
		return 0, fmt.Errorf("the program does not start: %w", err)
	}
	if err := u.server.Handoff(ctx, ours); err != nil {
		_ = cmd.Process.Kill() // it may have ended; alive it would hold connections open
		if ended := cmd.Wait(); ended != nil {
			err = fmt.Errorf("%w (%w)", err, ended)
		}
		return 0, err
	}
	pid := cmd.Process.Pid
	return pid, cmd.Process.Release()
}

// withoutOurs is an environment without what was for this process alone.
func withoutOurs(env []string) []string {
	var out []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case predecessorEnv, journalEnv, httpEnv, starterEnv, "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES":
		default:
			out = append(out, e)
		}
	}
	return out
}

// askUpgrade has the daemon on this machine upgrade itself, and prints what it says.
func askUpgrade(o options, stdout, stderr io.Writer) int {
	answer, err := askControl(o.port, controlUpgrade)
	if err != nil {
		fmt.Fprintln(stderr, "epmd: the daemon cannot be asked to upgrade:", err)
		return 1
	}
	text, ok := strings.CutPrefix(answer, controlOK)
	if !ok {
		fmt.Fprintln(stderr, "epmd: the daemon goes on as it is:", strings.TrimSpace(answer))
		return 1
	}
	fmt.Fprintln(stdout, "Upgraded, now process", strings.TrimSpace(text))
	return 0
}

// What is said over the control socket, a line each way.
const (
	controlUpgrade = "upgrade\n"
	controlOK      = "ok "
)

// answerControl answers one who asks over the control socket.
func (u *upgrader) answerControl(ctx context.Context, asked string) string {
	if asked != controlUpgrade {
		return fmt.Sprintf("%q is nothing that can be asked for\n", asked)
	}
	pid, err := u.upgrade(ctx)
	if err != nil {
		return err.Error() + "\n"
	}
	return fmt.Sprintf("%s%d\n", controlOK, pid)
}
