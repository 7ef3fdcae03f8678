package epoll

import (
	"context"
	"net"

	"github.com/goepmd/goepmd/registry"

	"github.com/goepmd/goepmd/epmd/internal/engine"
)

func (e *Engine) Remotes(ctx context.Context, owners []registry.Owner) ([]net.Addr, error) {
	type answer struct {
		addrs []net.Addr
		err   error
	}
	// The loop must not wait for somebody who has given up.
	c := make(chan answer, 1)
	ordered := e.order(func() {
		if e.ending {
			c <- answer{err: engine.ErrClosed}
			return
		}
		out := make([]net.Addr, len(owners))
		for i, o := range owners {
			if s := e.slots.find(o); s != nil {
				out[i] = s.remoteAddr()
			}
		}
		c <- answer{addrs: out}
	})
	if !ordered {
		return nil, engine.ErrClosed
	}
	select {
	case a := <-c:
		return a.addrs, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
