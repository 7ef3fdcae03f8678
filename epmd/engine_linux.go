package epmd

import (
	"context"
	"net"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/epoll"
	"github.com/goepmd/goepmd/epmd/internal/handover"
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

// expectSuccessor, give and take are the protocol of a hand-over.
func expectSuccessor(ctx context.Context, to *net.UnixConn) error { return handover.Expect(ctx, to) }

func give(ctx context.Context, to *net.UnixConn, h *engine.Held) error {
	return handover.Give(ctx, to, h)
}

func take(ctx context.Context, from *net.UnixConn, begin func([]net.Listener, *engine.Held, func() error) error) error {
	return handover.Take(ctx, from, begin)
}
