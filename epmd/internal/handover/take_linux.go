package handover

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	saved "github.com/goepmd/goepmd/registry/state"
)

// Take is the successor's side. begin makes a server of what comes, and commits before it
// touches any of it; if it fails, it has touched nothing and closed all. The other server
// is told why.
func Take(ctx context.Context, c *net.UnixConn, begin func(lns []net.Listener, h *engine.Held, commit func() error) error) error {
	if err := sameUser(c); err != nil {
		return err
	}
	done := bound(ctx, c)
	defer func() { _ = done() }() // if it was too late, the socket has said so
	hello := append([]byte(helloMark), handoffProtocol)
	if _, err := c.Write(binary.BigEndian.AppendUint16(hello, saved.Version)); err != nil {
		return fmt.Errorf("the other server has ended: %w", err)
	}
	err := receive(c, begin)
	if err != nil {
		refuse(c, err)
	}
	return err
}

func receive(c *net.UnixConn, begin func([]net.Listener, *engine.Held, func() error) error) error {
	h, err := receiveHeld(c)
	if err != nil {
		return err
	}
	lns, err := listenersOf(h.ListenerFDs)
	if err != nil {
		sockets.CloseAll(h.ConnFDs)
		return err
	}
	return begin(lns, h, func() error { return commit(c) })
}

// commit says that this process is ready, and waits to be told to serve. A nil error means
// that it does from now on.
func commit(c *net.UnixConn) error {
	if _, err := c.Write([]byte{msgReady}); err != nil {
		return fmt.Errorf("the other server has ended: %w", err)
	}
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != msgCommit {
		return errors.Join(errors.New("the other server goes on"), err)
	}
	// If this does not reach the other server, it has ended, and there is nobody else.
	_, _ = c.Write([]byte{msgServing})
	return nil
}

// refuse tells the other server why it should go on, unless it has gone on already.
func refuse(c *net.UnixConn, err error) {
	text := err.Error()
	text = text[:min(len(text), 1<<16-1)]
	b := binary.BigEndian.AppendUint16([]byte{msgRefused}, uint16(len(text)))
	_, _ = c.Write(append(b, text...)) // it sees the end of this socket in any case
}

// receiveHeld receives everything.
func receiveHeld(c *net.UnixConn) (*engine.Held, error) {
	var b [4]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return nil, fmt.Errorf("the other server says nothing: %w", err)
	}
	n := binary.BigEndian.Uint32(b[:])
	s, err := saved.Read(c, maxState)
	if err != nil {
		return nil, err
	}
	if n > maxFiles || int(n) != s.Listeners+len(s.Conns) {
		return nil, fmt.Errorf("%w: %d descriptors for %d listeners and %d connections", saved.ErrDamaged, n, s.Listeners, len(s.Conns))
	}
	if err := sockets.Room(c, int(n)+engine.Files, 0); err != nil {
		return nil, err
	}
	files, err := receiveFiles(c, int(n))
	if err != nil {
		sockets.CloseAll(files)
		return nil, err
	}
	return &engine.Held{State: s, ListenerFDs: files[:s.Listeners], ConnFDs: files[s.Listeners:]}, nil
}

// receiveFiles receives so many descriptors. It may have some together with an error.
func receiveFiles(c *net.UnixConn, n int) ([]int, error) {
	var files []int
	oob := make([]byte, unix.CmsgSpace(4*filesPerMessage))
	for len(files) < n {
		var b [1]byte
		m, k, flags, _, err := c.ReadMsgUnix(b[:], oob)
		if err != nil {
			return files, fmt.Errorf("the other server's descriptors do not come: %w", err)
		}
		got, err := rights(oob[:k])
		files = append(files, got...)
		switch {
		case err != nil:
			return files, err
		case flags&unix.MSG_CTRUNC != 0:
			return files, errors.New("not all descriptors have come: raise the limit of open files")
		case m == 0 || b[0] != msgFiles || len(got) == 0 || len(files) > n:
			return files, errors.New("the other server ended, or said something strange")
		}
	}
	return files, nil
}

func rights(oob []byte) ([]int, error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("descriptors: %w", err)
	}
	var files []int
	for i := range msgs {
		got, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			return files, fmt.Errorf("descriptors: %w", err)
		}
		files = append(files, got...)
	}
	for _, fd := range files {
		unix.CloseOnExec(fd) // not every system can have it so from the start
	}
	return files, nil
}

// listenersOf makes listeners of descriptors, which it closes.
func listenersOf(files []int) ([]net.Listener, error) {
	var lns []net.Listener
	for i, fd := range files {
		f := os.NewFile(uintptr(fd), "listener")
		ln, err := net.FileListener(f)
		_ = f.Close() // there is another one now
		if err != nil {
			sockets.CloseListeners(lns)
			sockets.CloseAll(files[i+1:])
			return nil, fmt.Errorf("listener: %w", err)
		}
		lns = append(lns, ln)
	}
	return lns, nil
}
