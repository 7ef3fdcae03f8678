package main

import (
	"cmp"
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
	"syscall"
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
	unknown error  // why the program is not known; nil if it is
	args    []string
	state   *stateFile
	systemd *systemd
	control control
	web     *webServer // nil without -http

	place       place
	signals     chan os.Signal // those that ask for an upgrade
	predecessor *os.File       // the connection to the daemon before; nil if there was none
	alone       chan struct{}  // closed when that one has come to its end, and systemd was told so; nil likewise

	busy    sync.Mutex     // an upgrade is under way, which alone starts a child
	replies sync.WaitGroup // somebody is to be told how it went
}

// programPath is the path to start anew. It is the one that this program was started
// by, if that is known to be it: a link may point to something newer by then.
func programPath() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("its own program is not known; on Linux this takes a /proc: %w", err)
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

var (
	errUpgrading = errors.New("an upgrade is under way already")
	errNotReady  = errors.New("the next daemon took over, and does not say that it is ready")
)

// upgrade starts the program anew and hands over to it. It gives the number of the
// process that serves then. If it fails, this one goes on as if nothing had
// happened.
func (u *upgrader) upgrade(ctx context.Context) (pid int, err error) {
	if runtime.GOOS != "linux" { // where the engine alone would say so, with a child started for nothing
		u.log.Error("the upgrade failed, and this daemon goes on", "program", u.program, "err", epmd.ErrPortable)
		return 0, epmd.ErrPortable
	}
	if err := cmp.Or(u.place.now().irreplaceable(), u.unknown); err != nil {
		u.log.Error("this daemon cannot be replaced while it runs, and goes on", "err", err)
		return 0, err
	}
	if !u.busy.TryLock() {
		return 0, errUpgrading
	}
	defer u.busy.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("no answer within %v", startPatience))
	defer cancel()
	release, err := u.state.hold(ctx)
	if err != nil {
		u.log.Error("the upgrade failed, and this daemon goes on", "program", u.program, "err", err)
		return 0, err
	}
	u.control.close() // the next one wants the name
	pid, successor, err := u.handOver(ctx)
	if err != nil {
		release()
		u.control.open(u)
		u.log.Error("the upgrade failed, and this daemon goes on", "program", u.program, "err", err)
		return 0, err
	}
	// The state file is the next one's now, and stays held.
	u.web.letGo()
	u.systemd.mainPID(pid)
	if err := awaitReady(ctx, successor); err != nil {
		u.log.Error(errNotReady.Error(), "program", u.program, "pid", pid, "err", err)
		return 0, fmt.Errorf("%w, process %d: look whether nodes are registered: %w", errNotReady, pid, err)
	}
	u.log.Info("handed over", "program", u.program, "pid", pid)
	return pid, nil
}

// awaitReady waits until a successor says that everything of it serves. Then it closes the
// connection: from then on the successor may be replaced in its turn.
func awaitReady(ctx context.Context, successor *os.File) error {
	defer func() { _ = successor.Close() }() // everything has been said
	until, _ := ctx.Deadline()
	if err := successor.SetReadDeadline(until); err != nil {
		return err
	}
	_, err := io.ReadFull(successor, make([]byte, len(readyReport)))
	return err
}

// ready says to the daemon before that everything of this one serves.
func (u *upgrader) ready() {
	if u.predecessor != nil {
		_, _ = io.WriteString(u.predecessor, readyReport) // if it is gone, nobody wants to know
	}
}

// outlive waits until the daemon before this one has told systemd which process is the main
// one, and has come to its end. Then it has this one tell; so it does if the other seems to
// have been stopped.
func (u *upgrader) outlive(ctx context.Context, tell func()) {
	end := context.AfterFunc(ctx, func() { _ = u.predecessor.SetReadDeadline(time.Now()) }) // at worst it waits on
	defer end()
	_ = u.predecessor.SetReadDeadline(time.Now().Add(startPatience)) // likewise
	_, err := u.predecessor.Read(make([]byte, 1))                    // it says nothing more, and ends
	tell()
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
		_ = u.predecessor.SetReadDeadline(time.Time{}) // as above
		_, _ = u.predecessor.Read(make([]byte, 1))     // likewise
	}
	_ = u.predecessor.Close() // everything has been said
	close(u.alone)
}

// awaitPredecessor waits for the end of outlive: if this daemon or the one before told systemd
// later than the next one which process is the main one, systemd would watch the wrong
// process.
func (u *upgrader) awaitPredecessor(ctx context.Context) error {
	if u.alone == nil {
		return nil
	}
	select {
	case <-u.alone:
		return nil
	case <-ctx.Done():
		return errors.New("the upgrade before is not over yet: try again in a moment")
	}
}

// awaitServing waits until the server serves: one who asks may come in the moment between its
// readiness, for which it needs a descriptor, and the first look at its listeners.
func (u *upgrader) awaitServing(ctx context.Context) error {
	for len(u.server.Addrs()) == 0 {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return errors.New("the daemon does not serve, or ends")
		}
	}
	return nil
}

// handOver does it, and leaves no process behind if it fails. It gives the process that
// serves then, and the connection to it.
func (u *upgrader) handOver(ctx context.Context) (pid int, successor *os.File, err error) {
	if err := u.awaitPredecessor(ctx); err != nil {
		return 0, nil, err
	}
	if err := u.awaitServing(ctx); err != nil {
		return 0, nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = ours.Close() }() // successor is another descriptor of it
	successor, err = shareable(ours)
	if err != nil {
		_ = theirs.Close() // nothing was said
		return 0, nil, err
	}
	defer func() {
		if err != nil {
			_ = successor.Close() // it is told so by its end
		}
	}()
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
	if s := u.state.inheritable(); s != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, s)
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", stateEnv, firstExtra+len(cmd.ExtraFiles)-1))
	}
	web, err := u.web.file()
	if err != nil {
		_ = theirs.Close() // nothing was said
		return 0, nil, fmt.Errorf("the listener of -http cannot be handed over: %w", err)
	}
	if web != nil {
		defer func() { _ = web.Close() }() // the child has its own
		cmd.ExtraFiles = append(cmd.ExtraFiles, web)
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", httpEnv, firstExtra+len(cmd.ExtraFiles)-1))
	}
	if u.systemd.on() {
		cmd.SysProcAttr = sibling()
	}
	err = cmd.Start()
	_ = theirs.Close() // the child's copy counts
	if err != nil {
		return 0, nil, fmt.Errorf("the program does not start: %w", err)
	}
	if err := u.server.Handoff(ctx, ours); err != nil {
		_ = cmd.Process.Kill()                                                      // it may have ended; alive it would hold connections open
		if ended := cmd.Wait(); ended != nil && !errors.Is(ended, syscall.ECHILD) { // a sibling's end is its parent's to see
			err = fmt.Errorf("%w (%w)", err, ended)
		}
		return 0, nil, err
	}
	pid = cmd.Process.Pid
	_ = cmd.Process.Release() // nobody waits for it
	return pid, successor, nil
}

// withoutOurs is an environment without what was for this process alone.
func withoutOurs(env []string) []string {
	var out []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case predecessorEnv, journalEnv, stateEnv, httpEnv, starterEnv, "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES":
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
	text, ok := strings.CutPrefix(strings.TrimSpace(answer), controlOK)
	switch {
	case ok:
		fmt.Fprintln(stdout, "Upgraded, now process", text)
		return 0
	case strings.HasPrefix(text, errNotReady.Error()):
		fmt.Fprintln(stderr, "epmd:", text)
	default:
		fmt.Fprintln(stderr, "epmd: the daemon goes on as it is:", text)
	}
	return 1
}

// The lines that go over the control socket. A program asks for an upgrade, the daemon asks
// whether it still wants one, and the program says yes.
const (
	controlUpgrade = "upgrade\n"
	controlSure    = "sure?\n"
	controlYes     = "yes\n"
	controlOK      = "ok "
)

// answerControl answers one who asks over the control socket.
func (u *upgrader) answerControl(ctx context.Context, asked string) string {
	if asked != controlUpgrade {
		return fmt.Sprintf("%q is nothing that can be asked for\n", asked)
	}
	pid, err := u.upgrade(ctx)
	if err != nil {
		return strings.ReplaceAll(err.Error(), "\n", "; ") + "\n"
	}
	return fmt.Sprintf("%s%d\n", controlOK, pid)
}
