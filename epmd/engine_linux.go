package epmd

import (
	"context"
	"fmt"
	"net"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/epoll"
	"github.com/goepmd/goepmd/epmd/internal/handover"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// newLoop is the epoll engine.
func newLoop(c *engine.Config) (anyEngine, error) {
	e, err := epoll.New(c)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// fitForLoop says why the epoll engine cannot serve listeners; nil if it can.
func fitForLoop(lns []net.Listener) error { return epoll.Unfit(lns) }

// handOver has an engine hand over to whoever is at the other end of a socket.
func (st *parts) handOver(ctx context.Context, to *net.UnixConn, e handingOver) error {
	if err := handover.Expect(ctx, to); err != nil {
		return err
	}
	return e.Handoff(func(export func() *engine.Held) error {
		st.handing.Lock() // no name may go between the export and the commit
		defer st.handing.Unlock()
		ctx, cancel := context.WithTimeoutCause(ctx, HandoffPatience, fmt.Errorf("it took longer than %v", HandoffPatience))
		defer cancel()
		err := handover.Give(ctx, to, export())
		if err != nil {
			st.Lent.Store(true) // it may have some, and live on
		}
		return err
	})
}

// resume makes this server what the one at the other end of a socket was.
func (st *parts) resume(ctx context.Context, from *net.UnixConn) error {
	return handover.Take(ctx, from, func(lns []net.Listener, h *engine.Held, commit func() error) error {
		if err := engine.Restore(st.Config.Registry, h); err != nil {
			sockets.CloseListeners(lns)
			h.Close()
			return err
		}
		return st.engine.resume(lns, h, commit)
	})
}
