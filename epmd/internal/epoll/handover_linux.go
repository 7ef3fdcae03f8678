package epoll

import (
	"net"
	"net/netip"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	saved "github.com/goepmd/goepmd/registry/state"
)

// A handover is one step of the loop, on either side: for as long as it takes,
// nothing else touches a socket.

// Handoff hands over in one step of the loop: for as long as give takes, nothing else
// touches a socket. If give fails, the engine goes on, and the error is give's.
func (e *Engine) Handoff(give func(export func() *engine.Held) error) error {
	result := make(chan error, 1)
	if !e.order(func() { result <- e.handOver(give) }) {
		return engine.ErrClosed
	}
	return <-result
}

// handOver hands over, and ends the engine if that went well.
func (e *Engine) handOver(give func(export func() *engine.Held) error) error {
	for _, l := range e.listeners {
		if fd := l.waiting; fd >= 0 { // AcceptDelay ends early
			l.waiting = -1
			e.open(l, fd, &l.from)
		}
	}
	if e.ending {
		return engine.ErrClosed
	}
	if err := give(e.export); err != nil {
		return err
	}
	e.letGo(engine.ErrHandedOver, func(c *socket) { e.report.State(c, report.StateHandedOver) })
	return nil
}

// export gives all that the engine holds.
func (e *Engine) export() *engine.Held {
	h := &engine.Held{State: saved.State{Names: e.registry.Snapshot()}}
	h.Names.LastOwner = max(h.Names.LastOwner, e.slots.last())
	for _, l := range e.listeners {
		if l.fd >= 0 {
			h.ListenerFDs = append(h.ListenerFDs, l.fd)
		}
	}
	add := func(c *socket) {
		if !e.waits(c) {
			h.Add(e.exportConn(c), int(c.fd))
		}
	}
	e.slots.all(func(c *socket) {
		if c.Registered {
			add(c)
		}
	})
	e.table.Unregistered(add)
	for w := e.awaiting.first; w != nil; w = w.next { // in the order in which they wait
		h.Add(e.exportConn(w.socket), int(w.socket.fd))
	}
	return h
}

// exportConn gives the phase of a connection, and what of its request and reply is under
// way.
func (e *Engine) exportConn(c *socket) saved.Conn {
	k := saved.Conn{Owner: c.Owner, Phase: saved.Reading, More: c.More, Remote: netip.AddrPortFrom(c.Addr, c.port)}
	switch {
	case c.Registered:
		k.Phase = saved.Registered
	case c.Refused():
		k.Phase = saved.Refused
	}
	w := c.work
	if w == nil {
		return k
	}
	k.In, k.Out = w.session.Partial(), w.out
	switch {
	case len(w.out) == 0:
		if w.queue == &e.reading {
			k.Age = e.now() + w.queue.wait - w.until
		}
	case w.after == session.StopDaemon:
		k.Phase = saved.Stopping
	case w.after == session.Close || w.session.Ended():
		k.Phase = saved.Closing
	}
	return k
}

// letGo ends the engine and closes its descriptors. No peer notices, since another
// process has the sockets.
func (e *Engine) letGo(why error, tell func(*socket)) {
	e.ending, e.stopping, e.err = true, true, why
	// epoll first: its watch lasts as long as the sockets, which stay open.
	closeFile(e.poll)
	e.poll = -1
	for _, l := range e.listeners {
		if u, ok := l.unix.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
	}
	e.removeListeners(e.listeners)
	e.slots.all(func(c *socket) {
		tell(c)
		closeFile(int(c.fd))
		e.table.Remove(c)
		e.table.EndRequest(c)
		e.endWork(c)
		e.slots.free(c)
	})
	e.config.Ended(e)
}

// Resume begins with listeners and with what another server held, in one step of the
// loop. It reads and accepts nothing before commit has returned; if commit fails, the
// engine ends and has touched nothing, and the error is commit's.
func (e *Engine) Resume(lns []net.Listener, h *engine.Held, begin func() error) error {
	defer e.makeRoom()()
	opened, err := openListeners(lns, engine.NewServing(len(lns)))
	if err != nil {
		sockets.CloseListeners(lns)
		h.Close()
		return err
	}
	result := make(chan error, 1)
	if !e.order(func() { result <- e.resumeInLoop(lns, opened, h, begin) }) {
		closeAll(opened)
		h.Close()
		return engine.ErrClosed
	}
	return <-result
}

// resumeInLoop prepares everything, commits, and begins to serve.
func (e *Engine) resumeInLoop(lns []net.Listener, opened []*listener, h *engine.Held, begin func() error) error {
	if e.ending {
		closeAll(opened)
		h.Close()
		return engine.ErrClosed
	}
	err := e.addListeners(opened)
	if err == nil {
		e.makeDaemon(lns)
		err = e.restore(h)
	}
	if err != nil {
		h.Close()
	} else {
		err = begin()
	}
	if err != nil {
		e.letGo(err, func(*socket) {})
		return err
	}
	e.resumeConns(h)
	e.acceptAllEarly(opened)
	return nil
}
