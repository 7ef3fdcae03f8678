package host

import (
	"time"

	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/fuzz/machine"
)

// ForDiffer makes a target of the differential engine of a fresh daemon on the
// given port, in this program or as WebAssembly. Everything that is sent takes
// effect at once, so there is nothing to wait for.
func ForDiffer(d machine.Daemon, port uint16) differ.Target {
	return &differTarget{NewTarget(d, port)}
}

type differTarget struct{ *Target }

func (t *differTarget) Dial() (differ.Conn, error) {
	if t.ended {
		return nil, differ.ErrGone
	}
	c, err := t.Open()
	if err != nil {
		return nil, err
	}
	return &differConn{c.(*targetConn)}, nil
}

func (t *differTarget) Ask() error {
	if t.ended {
		return differ.ErrGone
	}
	return nil
}

func (t *differTarget) Answer(func() error) error { return nil }
func (t *differTarget) Stop() error               { return t.daemon.Close() }

type differConn struct{ *targetConn }

func (c *differConn) Send(b []byte) error { return c.arrive(b) }

func (c *differConn) Recv(b []byte, _ time.Duration) ([]byte, differ.End, error) {
	got, closed, err := c.targetConn.Recv()
	if closed {
		return append(b, got...), differ.WasClosed, err
	}
	return append(b, got...), differ.StillOpen, err
}
