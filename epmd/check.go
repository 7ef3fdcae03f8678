package epmd

import (
	"context"
	"net"

	"github.com/goepmd/goepmd/registry"
)

// askBatch is how many connections an engine is asked for at a time, so that it
// serves others in between.
const askBatch = 1024

// Check says whether the server serves: its engine answers, between two requests,
// before the context ends. Its error is the context's if not, and errClosed
// if the server is not serving, yet or any more. It must not be called from a hook or
// the logger.
func (s *Server) Check(ctx context.Context) error {
	e, _ := s.init().engine.get()
	_, err := e.Remotes(ctx, nil)
	return err
}

// Remotes tells where the connections of owners come from, such as those that a
// snapshot of the registry names: the addresses of their other ends. Who is gone
// has none. Its errors, and who must not call it, are those of Check.
func (s *Server) Remotes(ctx context.Context, owners ...registry.Owner) (map[registry.Owner]net.Addr, error) {
	e, _ := s.init().engine.get()
	out := make(map[registry.Owner]net.Addr, len(owners))
	for {
		some := owners[:min(len(owners), askBatch)]
		owners = owners[len(some):]
		found, err := e.Remotes(ctx, some)
		if err != nil {
			return nil, err
		}
		for i, a := range found {
			if a != nil {
				out[some[i]] = a
			}
		}
		if len(owners) == 0 {
			return out, nil
		}
	}
}
