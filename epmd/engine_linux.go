package epmd

import (
	"context"
	"fmt"
	"net"
)

// newLoop is the epoll engine.
func newLoop(c *config) (engine, error) {
	e, err := newEpoll(c)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// fitForLoop says why the epoll engine cannot serve listeners; nil if it can.
func fitForLoop(lns []net.Listener) error { return epollFit(lns) }

// handOver has an engine hand over to whoever is at the other end of a socket.
func (st *state) handOver(ctx context.Context, to *net.UnixConn, e handing) error {
	if err := expectSuccessor(ctx, to); err != nil {
		return err
	}
	return e.handoff(func(export func() *held) error {
		st.handing.Lock() // no name may go between the export and the commit
		defer st.handing.Unlock()
		ctx, cancel := context.WithTimeoutCause(ctx, HandoffPatience, fmt.Errorf("it took longer than %v", HandoffPatience))
		defer cancel()
		err := give(ctx, to, export())
		if err != nil {
			st.lent.Store(true) // it may have some, and live on
		}
		return err
	})
}

// takeOver makes this server what the one at the other end of a socket was.
func (st *state) takeOver(ctx context.Context, from *net.UnixConn) error {
	return take(ctx, from, func(lns []net.Listener, h *held, commit func() error) error {
		if err := restore(st.config.registry, h); err != nil {
			closeAll(lns)
			h.close()
			return err
		}
		return st.engine.takeUp(lns, h, commit)
	})
}
