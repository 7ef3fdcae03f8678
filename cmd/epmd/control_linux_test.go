package main

import (
	"log/slog"
	"net"
	"os"
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
