package portable

import (
	"io"
	"net"
	"os"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// read reads from a connection, and lets nobody sweep before what was read has taken
// effect: a sweep does not see it any more.
func (w *watch) read(c net.Conn, b []byte, effect func(n int)) (n int, err error) {
	raw := sockets.Raw(c)
	if w == nil || raw == nil {
		n, err = c.Read(b)
		if n > 0 {
			effect(n)
		}
		return n, err
	}
	waited := raw.Read(func(fd uintptr) (arrived bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		n, arrived, err = sockets.ReadArrived(fd, b)
		if n > 0 {
			effect(n)
		}
		return arrived
	})
	switch {
	case waited != nil: // it is closed, or was for too long
		return 0, waited
	case err != nil:
		return 0, os.NewSyscallError("recv", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
