package epmd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	saved "github.com/goepmd/goepmd/registry/state"
)

// The protocol of a handover; docs/upgrade.md tells why it is as it is.
//
//	successor → server  hello: mark, protocol:8, newest version of a state that it reads:16
//	server → successor  number of descriptors:32, state; then the descriptors, up to
//	                    filesPerMessage with each byte msgFiles
//	successor → server  msgReady: it has all, and has touched nothing;
//	                    or msgRefused, length:16, text
//	server → successor  msgCommit: serve
//	successor → server  msgServing: from now on it does
//
// Whoever does not like something closes the socket. The successor touches nothing
// before it has received msgCommit and sent msgServing; the server touches nothing
// from the state on, until the socket ends without msgServing.
const (
	helloMark       = "GOEPMDH"
	helloLen        = len(helloMark) + 1 + 2
	handoffProtocol = 1

	msgFiles   = 'F'
	msgReady   = 'R'
	msgRefused = 'X'
	msgCommit  = 'C'
	msgServing = 'S'

	// filesPerMessage is as many as Linux takes.
	filesPerMessage = 253
	// maxState is more than any state.
	maxState = 1 << 32
	// maxFiles is more than a process can have.
	maxFiles = 1 << 26
)

var errSuccessor = errors.New("the successor ended, or said something strange")

// bound ends what is under way on a socket when the context ends. done, to be called
// once, ends the bound, and gives the context's error if it was too late.
func bound(ctx context.Context, c *net.UnixConn) (done func() error) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		_ = c.SetDeadline(time.Unix(1, 0)) // it fails on a closed one alone
	})
	return func() error {
		if stop() {
			return nil
		}
		<-over
		return context.Cause(ctx)
	}
}

// handOver has an engine hand over to whoever is at the other end of a socket.
func (st *state) handOver(ctx context.Context, to *net.UnixConn, e handing) error {
	if err := expectSuccessor(ctx, to); err != nil {
		return err
	}
	return e.handoff(func(export func() *held) error {
		st.handing.Lock() // no name may go between the export and the commit
		defer st.handing.Unlock()
		err := give(ctx, to, export())
		if err != nil {
			st.lent.Store(true) // it may have some, and live on
		}
		return err
	})
}

// expectSuccessor waits for the other end to say who it is.
func expectSuccessor(ctx context.Context, c *net.UnixConn) error {
	if err := sameUser(c); err != nil {
		return err
	}
	done := bound(ctx, c)
	var b [helloLen]byte
	_, err := io.ReadFull(c, b[:])
	if late := done(); late != nil {
		return fmt.Errorf("the successor says nothing: %w", late)
	}
	if err != nil || string(b[:len(helloMark)]) != helloMark || b[len(helloMark)] != handoffProtocol {
		return errors.Join(errSuccessor, err)
	}
	if v := binary.BigEndian.Uint16(b[len(helloMark)+1:]); v < saved.Version {
		return fmt.Errorf("the successor is too old: it reads states up to version %d, and this is version %d", v, saved.Version)
	}
	return nil
}

// give hands over what the engine holds. A nil error means that the successor
// serves; any other that it has touched nothing, and never will.
func give(ctx context.Context, c *net.UnixConn, h *held) error {
	ctx, cancel := context.WithTimeoutCause(ctx, HandoffPatience,
		fmt.Errorf("it took longer than %v", HandoffPatience))
	defer cancel()
	done := bound(ctx, c)
	err := offer(c, h)
	if late := done(); late != nil {
		return fmt.Errorf("the successor is not ready: %w", late)
	}
	if err != nil {
		return err
	}
	if _, err := c.Write([]byte{msgCommit}); err != nil {
		return fmt.Errorf("the successor has ended: %w", err)
	}
	// From here on it alone decides.
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != msgServing {
		return errors.Join(errSuccessor, err)
	}
	return nil
}

// offer sends everything, and waits for the successor to be ready.
func offer(c *net.UnixConn, h *held) error {
	h.Saved, h.Listeners = time.Now(), len(h.listeners)
	files := append(append([]int(nil), h.listeners...), h.conns...)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(files)))
	if _, err := c.Write(saved.Append(b, h.State)); err != nil {
		return refusal(c, err)
	}
	for len(files) > 0 {
		n := min(len(files), filesPerMessage)
		if _, _, err := c.WriteMsgUnix([]byte{msgFiles}, unix.UnixRights(files[:n]...), nil); err != nil {
			return refusal(c, err)
		}
		files = files[n:]
	}
	return refusal(c, nil)
}

// refusal reads what the successor says to what it was sent, or was to be sent: it
// may have refused before the end. It is nil if it is ready.
func refusal(c *net.UnixConn, sent error) error {
	var b [3]byte
	if _, err := io.ReadFull(c, b[:1]); err != nil {
		return errors.Join(errSuccessor, sent, err)
	}
	switch {
	case b[0] == msgReady && sent == nil:
		return nil
	case b[0] != msgRefused:
		return errors.Join(errSuccessor, sent)
	}
	if _, err := io.ReadFull(c, b[1:]); err != nil {
		return errors.Join(errSuccessor, err)
	}
	text := make([]byte, binary.BigEndian.Uint16(b[1:]))
	if _, err := io.ReadFull(c, text); err != nil {
		return errors.Join(errSuccessor, err)
	}
	return fmt.Errorf("the successor refuses: %s", text)
}

// takeOver is the successor's side. If it fails, nothing was touched.
func (st *state) takeOver(ctx context.Context, c *net.UnixConn) error {
	if err := sameUser(c); err != nil {
		return err
	}
	done := bound(ctx, c)
	defer func() { _ = done() }() // if it was too late, the socket has said so
	hello := append([]byte(helloMark), handoffProtocol)
	if _, err := c.Write(binary.BigEndian.AppendUint16(hello, saved.Version)); err != nil {
		return fmt.Errorf("the other server has ended: %w", err)
	}
	h, err := receiveHeld(c)
	if err == nil {
		err = st.begin(c, h)
	}
	if err != nil {
		refuse(c, err)
	}
	return err
}

// refuse tells the other server why it should go on, unless it has gone on already.
func refuse(c *net.UnixConn, err error) {
	text := err.Error()
	text = text[:min(len(text), 1<<16-1)]
	b := binary.BigEndian.AppendUint16([]byte{msgRefused}, uint16(len(text)))
	_, _ = c.Write(append(b, text...)) // it sees the end of this socket in any case
}

// begin makes this server what the other was.
func (st *state) begin(c *net.UnixConn, h *held) error {
	if err := restore(st.config.registry, h); err != nil {
		closeFiles(h.listeners)
		closeFiles(h.conns)
		return err
	}
	lns, err := listenersOf(h.listeners)
	if err != nil {
		closeFiles(h.conns)
		return err
	}
	return st.engine.takeUp(lns, h, func() error {
		if _, err := c.Write([]byte{msgReady}); err != nil {
			return fmt.Errorf("the other server has ended: %w", err)
		}
		var b [1]byte
		if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != msgCommit {
			return errors.Join(errors.New("the other server goes on"), err)
		}
		// If this does not reach it, it has ended, and there is nobody else.
		_, _ = c.Write([]byte{msgServing})
		return nil
	})
}

// receiveHeld receives everything.
func receiveHeld(c *net.UnixConn) (*held, error) {
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
	files, err := receiveFiles(c, int(n))
	if err != nil {
		closeFiles(files)
		return nil, err
	}
	return &held{State: s, listeners: files[:s.Listeners], conns: files[s.Listeners:]}, nil
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
			closeAll(lns)
			closeFiles(files[i+1:])
			return nil, fmt.Errorf("listener: %w", err)
		}
		lns = append(lns, ln)
	}
	return lns, nil
}
