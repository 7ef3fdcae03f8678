package epmd

import (
	"context"
	"iter"
	"net"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// View is the registry of a [Server] to look at; nothing in it changes a registration.
// Server.View gives it, and it stays good for as long as it is wanted, after the end of
// the server too.
type View struct{ registry *registry.Registry }

// View is a look at the names that the server holds. It does not begin to serve.
func (s *Server) View() View { return View{s.init().config.Registry} }

// Len is the number of registered nodes.
func (v View) Len() int { return v.registry.Len() }

// Lookup finds a registered node, as PORT_PLEASE2_REQ does: of one with several transports
// it tells the first. Names compare byte for byte.
func (v View) Lookup(name string) (wire.Node, bool) { return v.registry.Lookup([]byte(name)) }

// Entry tells of a registered node what Lookup does, and its owner, creation, time of
// registration and transports. A name that is only remembered gives false.
func (v View) Entry(name string) (registry.Entry, bool) { return v.registry.Entry(name) }

// Snapshot copies everything at one moment: registered nodes and remembered names. It
// takes time and memory in proportion to their number.
func (v View) Snapshot() registry.Snapshot { return v.registry.Snapshot() }

// Subscribe asks for the events from now on, as registry.Registry does: the snapshot is
// taken at that very moment, and buffer is how many events wait for their reader, at least
// 1, before some are dropped and counted. The subscription takes up memory until its Close.
func (v View) Subscribe(buffer int) (*registry.Subscription, registry.Snapshot) {
	return v.registry.Subscribe(buffer)
}

// Follow is Subscribe without the snapshot, during which nobody is served, and Pages
// copies the registered nodes in pages of at most size, between which everybody is: they
// are for looks at very many nodes, and explained at registry.Registry.
func (v View) Follow(buffer int) (s *registry.Subscription, seq uint64) {
	return v.registry.Follow(buffer)
}

// Pages is explained at Follow.
func (v View) Pages(size int) iter.Seq[[]registry.Entry] { return v.registry.Pages(size) }

// Stats reads the figures of the registry, which Server.Stats tells too.
func (v View) Stats() registry.Stats { return v.registry.Stats() }

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
// snapshot of the View names: the addresses of their other ends. Who is gone
// has none, nor has a node that this program registered itself. Its errors, and who must not call it, are those of Check.
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
