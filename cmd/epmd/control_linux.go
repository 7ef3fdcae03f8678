package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// controlPatience is how long one who asks, or is asked, may take.
const controlPatience = 2 * startPatience

// controlName is the name of the socket by which the daemon on a port can be asked to
// upgrade itself. It is an abstract one, and so belongs to the network namespace, as
// the port does; nothing of it stays behind.
func controlName(port uint16) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: "@goepmd/control/" + strconv.Itoa(int(port))}
}

// control is the daemon's side of that socket. Root and the daemon's user may ask.
type control struct {
	port uint16

	mu     sync.Mutex
	ln     controlListener
	closed chan struct{} // of this listener, or of the tries to have one
}

// controlListener is a net.UnixListener.
type controlListener interface {
	AcceptUnix() (*net.UnixConn, error)
	Close() error
}

// controlRetry is how long is waited for the name, which the daemon before may still
// have.
const controlRetry = 50 * time.Millisecond

// controlLongestRetry is the longest pause after failures to accept.
const controlLongestRetry = time.Second

// controlWait is how long open waits for the name. A daemon that ends has its name for a
// moment longer than its port.
const controlWait = time.Second

// open begins to listen, and returns when it does. While another has the name, it returns
// after controlWait, and goes on trying: that costs nothing but this way to ask.
func (c *control) open(u *upgrader) {
	closed, listens := make(chan struct{}), make(chan struct{})
	c.mu.Lock()
	c.closed = closed
	c.mu.Unlock()
	go func() {
		for {
			ln, err := net.ListenUnix("unix", controlName(c.port))
			if err == nil {
				close(listens)
				c.serve(u, ln, closed)
				return
			}
			u.log.Debug("the control socket is taken, and will be tried again", "name", controlName(c.port).Name, "err", err)
			select {
			case <-closed:
				return
			case <-time.After(controlRetry):
			}
		}
	}()
	select {
	case <-listens:
	case <-closed:
	case <-time.After(controlWait):
	}
}

func (c *control) serve(u *upgrader, ln controlListener, closed chan struct{}) {
	c.mu.Lock()
	select {
	case <-closed:
		c.mu.Unlock()
		_ = ln.Close() // nobody has come
		return
	default:
	}
	c.ln = ln
	c.mu.Unlock()
	failures, pause := 0, controlRetry
	for {
		conn, err := ln.AcceptUnix()
		switch {
		case err == nil:
			if failures > 0 {
				u.log.Warn("the control socket is served again", "failures", failures)
			}
			failures, pause = 0, controlRetry
			u.replies.Go(func() { c.answer(u, conn) })
			continue
		case errors.Is(err, net.ErrClosed):
			return
		}
		// Whatever it is, it may pass.
		if failures++; failures == 1 {
			u.log.Warn("cannot accept on the control socket, and will try again; meanwhile upgrades go by SIGUSR2 alone", "err", err)
		}
		select {
		case <-closed:
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, controlLongestRetry)
	}
}

// close stops listening; who is being answered is answered.
func (c *control) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		close(c.closed)
		c.closed = nil
	}
	if c.ln != nil {
		_ = c.ln.Close() // nothing is lost in it
		c.ln = nil
	}
}

func (c *control) answer(u *upgrader, conn *net.UnixConn) {
	defer func() { _ = conn.Close() }() // it was told, or is gone
	_ = conn.SetDeadline(time.Now().Add(controlPatience))
	uid, err := peerUser(conn)
	if err != nil || uid != 0 && uid != os.Geteuid() {
		u.log.Warn("refused to be upgraded", "uid", uid, "err", err)
		_, _ = io.WriteString(conn, "only root and the daemon's own user may ask\n") // or it is gone
		return
	}
	in := bufio.NewReader(io.LimitReader(conn, 100))
	asked, err := in.ReadString('\n')
	if err == nil && asked == controlUpgrade {
		// This daemon may have been stopped for long: one who gave up was told that nothing
		// happens.
		_, _ = io.WriteString(conn, controlSure) // or it is gone
		var sure string
		if sure, err = in.ReadString('\n'); sure != controlYes {
			return
		}
	}
	if err != nil {
		return // it is gone, or has nothing to ask
	}
	_, _ = io.WriteString(conn, u.answerControl(context.Background(), asked)) // likewise
}

// peerUser is the user of the process at the other end.
func peerUser(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || credErr != nil {
		return -1, errors.Join(err, credErr)
	}
	return int(cred.Uid), nil
}

// errWordless: the daemon ended without a word, and has done nothing.
var errWordless = errors.New("it ends, or is being replaced")

// askControl asks the daemon on a port, and gives its answer, a line. One that has just been
// replaced has the socket for a moment longer: then the one in its place is asked.
func askControl(port uint16, question string) (string, error) {
	replaced := false
	for until := time.Now().Add(answerPatience); ; time.Sleep(controlRetry) {
		answer := ""
		c, err := net.DialUnix("unix", nil, controlName(port))
		if err != nil {
			err = fmt.Errorf("no daemon of this kind on port %d: %w", port, err)
		} else {
			answer, err = askOn(c, question)
			replaced = errors.Is(err, errWordless)
		}
		if !replaced || time.Now().After(until) {
			return answer, err
		}
	}
}

// askOn asks on a connection. The daemon does nothing of what was asked if this gave up before
// it answered.
func askOn(c *net.UnixConn, question string) (string, error) {
	defer func() { _ = c.Close() }() // everything has been said
	_ = c.SetDeadline(time.Now().Add(answerPatience))
	_, err := io.WriteString(c, question)
	in := bufio.NewReader(c)
	var answer string
	if err == nil {
		answer, err = in.ReadString('\n')
	}
	if answer == "" && (errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)) {
		return "", errWordless
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", fmt.Errorf("it says nothing for %v, and will not upgrade: look whether it is stopped", answerPatience)
	}
	if err != nil || answer != controlSure {
		return answer, err
	}
	_ = c.SetDeadline(time.Now().Add(controlPatience))
	if _, err := io.WriteString(c, controlYes); err != nil {
		return "", err
	}
	answer, err = in.ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", fmt.Errorf("it began, and does not say how it ended for %v: look which process serves", controlPatience)
	}
	return answer, err
}
