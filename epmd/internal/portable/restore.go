package portable

import (
	"fmt"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

// adopt makes connections of the descriptors that another server has left. If it fails,
// nothing is lost, and another call goes on.
func adopt(h *engine.Held) error {
	for h != nil && len(h.Nets) < len(h.ConnFDs) {
		nc, err := sockets.FileConn(h.ConnFDs[len(h.Nets)])
		if err != nil {
			return fmt.Errorf("epmd: cannot take over %d connections: %w", len(h.ConnFDs), err)
		}
		h.Nets = append(h.Nets, nc)
	}
	return nil
}

// restore begins to serve the connections of registered nodes that another server has
// left.
func (e *Engine) restore(h *engine.Held) {
	if h == nil {
		return
	}
	e.mu.Lock()
	e.last = max(e.last, e.registry.LastOwner())
	e.mu.Unlock()
	var conns []*conn
	for i, k := range h.Conns {
		c := &conn{engine: e, net: h.Nets[i]}
		c.Owner, c.Addr = k.Owner, k.Remote.Addr()
		if !e.restoreConn(c, k) {
			_ = c.net.Close() // the server has ended, and its node sees it so
			continue
		}
		conns = append(conns, c)
	}
	// Some may have been unregistered since Restore; Evict finds the others from now on.
	holders := engine.Holders(e.registry.Snapshot())
	for _, c := range conns {
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
