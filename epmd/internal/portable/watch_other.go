//go:build !linux

package portable

import (
	"net"
	"sync"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
)

// watch asks the connections that hold a name, or of a list all that hold any, whether they
// have ended, or have sent something, while their goroutines may not have run yet: a call
// of the system for each.
type watch struct{ mu sync.Mutex }

func newWatch() *watch { return new(watch) }

func (*watch) add(net.Conn, registry.Owner, bool) {}
func (*watch) close()                             {}

// sweep releases the holders of a name that have ended; without a name, all.
func (w *watch) sweep(e *Engine, name []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range e.holders(name) {
		switch sockets.Arrived(h.net) {
		case sockets.Bytes:
			if !h.takesMore {
				e.registry.Release(h.owner, registry.ReasonData)
			}
		case sockets.End:
			e.registry.Release(h.owner, registry.ReasonClosed)
		case sockets.Nothing:
		}
	}
}

// holder is a connection that is kept.
type holder struct {
	net       net.Conn
	owner     registry.Owner
	takesMore bool
}

// holders are the kept connections that hold a name, or all without a name. A request is
// under way on none of them.
func (e *Engine) holders(name []byte) (all []holder) {
	add := func(c *conn) {
		if c != nil && c.Kept() && !c.Busy {
			all = append(all, holder{c.net, c.Owner, c.More})
		}
	}
	if len(name) == 0 {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.conns {
			add(c)
		}
		return all
	}
	entry, _ := e.registry.Entry(string(name))
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range entry.Owners() {
		add(e.conns[o])
	}
	return all
}
