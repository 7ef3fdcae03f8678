package epmd

import (
	"net"
	"os"

	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

// restore goes on with the connections of registered nodes that another server has left.
func (e *portable) restore(h *held) {
	if h == nil {
		return
	}
	holders := holders(e.registry.Snapshot())
	for i, k := range h.Conns {
		f := os.NewFile(uintptr(h.conns[i]), "connection")
		nc, err := net.FileConn(f)
		_ = f.Close()   // there is another one now
		if err != nil { // it has ended
			e.registry.Release(k.Owner, registry.ReasonClosed)
			continue
		}
		c := &conn{engine: e, net: nc}
		c.owner, c.remote = k.Owner, k.Remote.Addr()
		if !e.seat(c, k) {
			_ = nc.Close() // the server has ended, and its node sees it so
			continue
		}
		if !holders[c.owner] {
			e.evict([]registry.Owner{c.owner})
		}
		go func() {
			e.report.state(c, stageRegistered)
			e.watch.add(c.net, c.owner, c.more)
			keepAlive(c.net, e.config.limits.keepAlive)
			c.stay()
		}()
	}
}

// seat gives a restored connection its place, unless the server has ended.
func (e *portable) seat(c *conn, k saved.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending {
		return false
	}
	e.last = max(e.last, c.owner)
	e.conns[c.owner] = c
	e.table.add(c)
	c.begun, c.more = true, k.More
	c.session = e.daemon.Resume(c.owner, true)
	if k.More {
		c.session = e.daemon.ResumeAlive3(c.owner, c, true)
	}
	e.table.keep(c, true)
	e.leave(c)
	e.wg.Add(1)
	return true
}
