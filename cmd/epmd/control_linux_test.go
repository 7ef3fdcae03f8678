package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// failingControl is a control socket that fails before it accepts, as often as a test says.
type failingControl struct {
	errs   chan error
	closed chan struct{}
	close  sync.Once
}

func (f *failingControl) AcceptUnix() (*net.UnixConn, error) {
	select {
	case err := <-f.errs:
		return new(net.UnixConn), err // one without a peer, whose answer fails
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *failingControl) Close() error {
	f.close.Do(func() { close(f.closed) })
	return nil
}

// TestControlFails: the control socket survives errors, of whatever kind and however often
// they come back, and says so. The pauses grow from 50 ms to a second.
func TestControlFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(strings.Builder)
		u := &upgrader{log: slog.New(slog.NewTextHandler(log, nil))}
		ln := &failingControl{errs: make(chan error), closed: make(chan struct{})}
		closed, ended := make(chan struct{}), make(chan struct{})
		u.control.closed = closed
		go func() {
			defer close(ended)
			u.control.serve(u, ln, closed)
		}()
		for range 2 {
			wait := time.Duration(0)
			for range 10 {
				begun := time.Now()
				ln.errs <- os.NewSyscallError("accept4", syscall.EACCES)
				require.Equal(t, wait, time.Since(begun))
				wait = min(max(2*wait, 50*time.Millisecond), time.Second)
			}
			ln.errs <- nil
			u.replies.Wait()
		}
		ln.errs <- os.NewSyscallError("accept4", syscall.EPERM)
		u.control.close() // in a pause
		<-ended
		require.Equal(t, 3, strings.Count(log.String(), "cannot accept on the control socket"))
		require.Equal(t, 2, strings.Count(log.String(), "is served again\" failures=10"))
	})
}

// TestControlIsThere: a daemon that is ready can be asked, even if the one before had the
// name a moment longer than the port.
func TestControlIsThere(t *testing.T) {
	c := control{port: uint16(freePort(t))}
	before, err := net.ListenUnix("unix", controlName(c.port))
	require.NoError(t, err)
	tried := make(chan struct{})
	var once sync.Once
	u := &upgrader{log: slog.New(onLog(func() { once.Do(func() { close(tried) }) }))}
	opened := make(chan struct{})
	go func() {
		c.open(u)
		close(opened)
	}()
	<-tried
	require.NoError(t, before.Close())
	<-opened
	answer, err := askControl(c.port, "dance\n")
	require.NoError(t, err)
	require.Contains(t, answer, "nothing that can be asked for")
	c.close()
	u.replies.Wait()
}

// TestControlOfReplaced: who asks a daemon that goes without a word asks the one in its place.
func TestControlOfReplaced(t *testing.T) {
	port := uint16(freePort(t))
	before, err := net.ListenUnix("unix", controlName(port))
	require.NoError(t, err)
	go func() {
		c, err := before.AcceptUnix()
		if err != nil {
			return
		}
		_ = before.Close()
		_ = c.Close() // with what was asked unread
		after, err := net.ListenUnix("unix", controlName(port))
		if err != nil {
			return
		}
		defer after.Close()
		if c, err = after.AcceptUnix(); err == nil {
			_, _ = c.Read(make([]byte, 20))
			_, _ = io.WriteString(c, "here\n")
			_ = c.Close()
		}
	}()
	answer, err := askControl(port, "dance\n")
	require.NoError(t, err)
	require.Equal(t, "here\n", answer)
	_, err = askControl(port, "dance\n")
	require.ErrorContains(t, err, "no daemon of this kind")
}

// onLog is a log handler that calls a function at each record.
type onLog func()

func (onLog) Enabled(context.Context, slog.Level) bool    { return true }
func (f onLog) Handle(context.Context, slog.Record) error { f(); return nil }
func (f onLog) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f onLog) WithGroup(string) slog.Handler             { return f }

// TestUpgradeOfStopped: who asks a daemon that is stopped is told that it will not upgrade,
// and it does not, once it goes on.
func TestUpgradeOfStopped(t *testing.T) {
	t.Parallel()
	d := start(t, program)
	endLater(t, d.port)
	port := strconv.Itoa(d.port)
	pid := d.PID()
	require.Eventually(t, func() bool { _, err := askControl(uint16(d.port), "dance\n"); return err == nil }, patience, time.Millisecond)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	got := call(t, program, "-port", port, "-upgrade")
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	require.Equal(t, 1, got.Status)
	require.Contains(t, got.Stderr, "it says nothing for 5s, and will not upgrade")
	for range 10 { // asked later than the one who gave up
		_, err := askControl(uint16(d.port), "dance\n")
		require.NoError(t, err)
	}
	require.Equal(t, pid, listenerOf(t, d.port))
	got = call(t, program, "-port", port, "-upgrade")
	require.Equal(t, result{Stdout: fmt.Sprintf("Upgraded, now process %d\n", listenerOf(t, d.port))}, got)
}
