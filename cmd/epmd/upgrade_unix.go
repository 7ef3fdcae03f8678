//go:build unix

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// socketPair is the connection to a successor: this process's end, and the one for
// the other.
func socketPair() (*net.UnixConn, *os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "successor")
	ours, err := unixConn(fds[0])
	if err != nil {
		_ = theirs.Close() // nothing was said
		return nil, nil, err
	}
	return ours, theirs, nil
}

// unixConn makes a connection of a descriptor, which it closes.
func unixConn(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer func() { _ = f.Close() }() // there is another one
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close() // nothing was said
		return nil, os.ErrInvalid
	}
	return u, nil
}

// hasPredecessor says whether this daemon was started to take over from another.
func hasPredecessor() bool { return os.Getenv(predecessorEnv) != "" }

// fromPredecessor is the connection to the daemon to take over from; nil if there is
// none, or the variable is from elsewhere.
func fromPredecessor() *net.UnixConn {
	fd, ok := inherited(predecessorEnv)
	if !ok {
		return nil
	}
	c, err := unixConn(fd)
	if err != nil {
		return nil
	}
	return c
}

// shareable is another descriptor of a socket, to be inherited. Unlike what File gives
// it does not make the socket block, which would be so for this process too.
func shareable(c syscall.Conn) (*os.File, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	var dupErr error
	err = raw.Control(func(old uintptr) { fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(err, dupErr); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "shared"), nil
}

// inherited is the descriptor that a variable names. The variable is gone then.
func inherited(env string) (int, bool) {
	v := os.Getenv(env)
	_ = os.Unsetenv(env) // cannot fail for a name like this
	fd, err := strconv.Atoi(v)
	if err != nil || fd < 3 {
		return -1, false
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return -1, false
	}
	unix.CloseOnExec(fd)
	return fd, true
}

// upgradeSignals may ask for an upgrade.
var upgradeSignals = []os.Signal{syscall.SIGUSR2, syscall.SIGHUP}

// catchSignals has SIGUSR2 ask for an upgrade, and under systemd SIGHUP, which is a reload.
// One that comes before onSignals waits for it. As process 1 SIGHUP is answered as any
// wish for an upgrade is there.
func (u *upgrader) catchSignals(pid int) {
	u.signals = make(chan os.Signal, 1)
	signal.Notify(u.signals, syscall.SIGUSR2)
	if u.systemd.on() || pid == 1 {
		signal.Notify(u.signals, syscall.SIGHUP)
	}
}

// onSignals upgrades at the signals that ask for it, until the context ends.
func (u *upgrader) onSignals(ctx context.Context) {
	if u.place.pid == 1 {
		go u.reapOrphans(ctx)
	}
	u.replies.Go(func() {
		defer signal.Stop(u.signals)
		for {
			select {
			case s := <-u.signals:
				if s == syscall.SIGHUP {
					u.systemd.reloading()
				}
				_, err := u.upgrade(ctx)
				if err == nil {
					return
				}
				if s == syscall.SIGHUP {
					u.systemd.reloadFailed(err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
}
