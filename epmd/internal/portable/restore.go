package portable

import (
	"net"
	"os"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

// restore begins to serve the connections of registered nodes that another server has
// left.
func (e *Engine) restore(h *engine.Held) {
	if h == nil {
		return
	}
	e.mu.Lock()
	e.last = max(e.last, e.registry.LastOwner())
	e.mu.Unlock()
	holders := engine.Holders(e.registry.Snapshot())
	for i, k := range h.Conns {
		f := os.NewFile(uintptr(h.ConnFDs[i]), "connection")
		nc, err := net.FileConn(f)
		_ = f.Close()   // there is another one now
		if err != nil { // it has ended
			e.registry.Release(k.Owner, registry.ReasonClosed)
			continue
		}
		c := &conn{engine: e, net: nc}
		c.Owner, c.Addr = k.Owner, k.Remote.Addr()
		if !e.restoreConn(c, k) {
			_ = nc.Close() // the server has ended, and its node sees it so
			continue
		}
		if _, holds := holders[c.Owner]; !holds {
			e.Evict([]registry.Owner{c.Owner})
		}
		go func() {
			e.report.State(c, report.StateRegistered)
			e.watch.add(c.net, c.Owner, c.More)
			sockets.KeepAlive(c.net, e.config.Limits.KeepAlive)
			c.stay()
		}()
	}
}

// restoreConn gives a restored connection its place. It says no if the engine has ended.
func (e *Engine) restoreConn(c *conn, k saved.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending {
		return false
	}
	e.conns[c.Owner] = c
	e.table.Add(c)
	c.Spoke, c.More = true, k.More
	c.session = e.daemon.Resume(c.Owner, true)
	if k.More {
		c.session = e.daemon.ResumeAlive3(c.Owner, c, true)
	}
	e.table.Keep(c, true)
	e.endRequest(c)
	e.wg.Add(1)
	return true
}
