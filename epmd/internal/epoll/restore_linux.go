package epoll

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

var (
	errOwners  = errors.New("connections with numbers that cannot be")
	errWatches = errors.New("epmd: the system cannot watch so many connections: it is short of memory, or fs.epoll.max_user_watches is too low")
)

// restore gives the connections of another server their places, and touches none of
// them. It comes before any other connection. If it fails, nothing has changed.
func (e *Engine) restore(h *engine.Held) error {
	if h == nil {
		return nil
	}
	owners := make([]registry.Owner, len(h.Conns))
	for i, k := range h.Conns {
		owners[i] = k.Owner
	}
	if !e.slots.restore(owners, e.registry.LastOwner()) {
		return errOwners
	}
	for i, k := range h.Conns {
		c := e.slots.find(k.Owner)
		c.fd, c.Addr, c.port = int32(h.ConnFDs[i]), k.Remote.Addr(), k.Remote.Port()
		e.table.Add(c)
		e.restoreConn(c, k)
	}
	for _, k := range h.Conns {
		if !e.watch(e.slots.find(k.Owner), interest) {
			e.unrestore(h)
			return errWatches
		}
	}
	return nil
}

// unrestore takes back what restore has done.
func (e *Engine) unrestore(h *engine.Held) {
	for _, k := range h.Conns {
		c := e.slots.find(k.Owner)
		if c.watched {
			_ = watchFor(e.poll, unix.EPOLL_CTL_DEL, int(c.fd), 0, 0) // it is there
		}
		e.table.Remove(c)
		e.table.EndRequest(c)
		e.endWork(c)
	}
	e.slots = slots{}
}

// restoreConn brings one connection into the phase in which it was.
func (e *Engine) restoreConn(c *socket, k saved.Conn) {
	holds := k.Phase == saved.Registered
	if holds || k.Phase == saved.Refused {
		e.table.Keep(c, holds)
		c.More = k.More
		if len(k.Out) == 0 {
			e.table.EndRequest(c)
			if len(k.In) == 0 {
				return
			}
		}
	}
	w := e.startWork(c)
	w.out, w.shared = k.Out, true
	switch k.Phase {
	case saved.Registered, saved.Refused:
		w.after = session.Keep
		w.session = e.daemon.Resume(c.Owner, holds)
		if k.More {
			w.session = e.daemon.ResumeAlive3(c.Owner, w, holds)
		}
	case saved.Reading:
		w.session = e.daemon.Open(c.Owner, w, e.started)
	case saved.Closing, saved.Stopping:
		w.after = session.Close
		if k.Phase == saved.Stopping {
			w.after = session.StopDaemon
		}
		w.session = e.daemon.Resume(c.Owner, false)
		w.session.End(registry.ReasonClosed)
	}
}

// resumeConns begins to serve the connections of another server.
func (e *Engine) resumeConns(h *engine.Held) {
	if h == nil {
		return
	}
	// Not those of h: some may have been unregistered since.
	holders := engine.Holders(e.registry.Snapshot())
	for _, k := range h.Conns {
		c := e.slots.find(k.Owner)
		if c == nil || e.stopping {
			continue
		}
		e.report.State(c, stateOf(k.Phase))
		_, holds := holders[k.Owner]
		switch {
		case k.Phase == saved.Registered && !holds:
			e.drop(c, places.CauseStopped, engine.ErrStopped)
			continue
		case k.Phase == saved.Registered && e.limits.KeepAlive > 0 && c.port != 0:
			sockets.PresetKeepAlive(int(c.fd), e.limits.KeepAlive)
			sockets.StartKeepAlive(int(c.fd))
		}
		switch {
		case len(k.Out) > 0:
			e.flush(c)
		case c.work != nil:
			e.resumeRequest(c, k)
		}
	}
}

// resumeRequest goes on with a request of which another server may have read a part.
func (e *Engine) resumeRequest(c *socket, k saved.Conn) {
	w := c.work
	if k.Phase == saved.Reading {
		w.startTimeoutSince(&e.reading, e.now()-k.Age)
		if w.queue != nil {
			e.wakeAt(w.until)
		}
	}
	for in := k.In; len(in) > 0; {
		c.Spoke = true
		n := min(len(in), w.session.Want())
		if res := w.session.Feed(e.started, in[:n], e.reply[:]); res.Verdict != session.More {
			e.obey(c, res)
			return
		}
		in = in[n:]
	}
}

// stateOf is the state in which a restored connection begins.
func stateOf(p saved.Phase) report.State {
	switch p {
	case saved.Registered:
		return report.StateRegistered
	case saved.Refused:
		return report.StateRefused
	default:
		return report.StateNew
	}
}
