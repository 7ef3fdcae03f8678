package portable

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
)

// lockPause is how long to leave a lock alone that others hold.
const lockPause = time.Millisecond

// Remotes are the peers' addresses of connections; nil of one that is closed. It gives
// up with its context while another goroutine holds the lock.
func (e *Engine) Remotes(ctx context.Context, owners []registry.Owner) ([]net.Addr, error) {
	for !e.mu.TryLock() {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		e.sleep(lockPause)
	}
	defer e.mu.Unlock()
	if e.ending || e.daemon == nil {
		return nil, engine.ErrClosed
	}
	out := make([]net.Addr, len(owners))
	for i, o := range owners {
		if c := e.conns[o]; c != nil {
			out[i] = c.net.RemoteAddr()
		}
	}
	return out, nil
}

// File gives another descriptor of a connection; nil if it is closed.
func (e *Engine) File(o registry.Owner) (*os.File, error) {
	e.mu.Lock()
	c := e.conns[o]
	e.mu.Unlock()
	if c == nil {
		return nil, nil
	}
	switch c.net.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil, fmt.Errorf("a %T has no descriptor to keep: what it knows of its connection is this process's alone", c.net)
	}
	// Not its File, whose Fd would have the socket block, for this server too.
	fd, err := sockets.Duplicate(c.net.(syscall.Conn))
	switch {
	case errors.Is(err, net.ErrClosed): // meanwhile
		return nil, nil
	case err != nil:
		return nil, err
	}
	return os.NewFile(uintptr(fd), "connection"), nil
}
