package handover

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
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
// The side that does not like something closes the socket. The successor touches nothing
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

// Expect waits for the successor to say which protocol it speaks and which states it
// reads.
func Expect(ctx context.Context, c *net.UnixConn) error {
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

// Give hands over what an engine holds. A nil error means that the successor serves; any
// other that it has touched nothing, and never will.
func Give(ctx context.Context, c *net.UnixConn, h *engine.Held) error {
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
func offer(c *net.UnixConn, h *engine.Held) error {
	h.Saved, h.Listeners = time.Now(), len(h.ListenerFDs)
	files := append(append([]int(nil), h.ListenerFDs...), h.ConnFDs...)
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
