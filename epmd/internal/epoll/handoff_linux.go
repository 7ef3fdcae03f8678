package epoll

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// A handover is one step of the loop, on either side: for as long as it takes,
// nothing else touches a socket.

func (e *Engine) Handoff(give func(export func() *engine.Held) error) error {
	result := make(chan error, 1)
	if !e.order(func() { result <- e.handOver(give) }) {
		return engine.ErrClosed
	}
	return <-result
}

// giveAway hands over, and ends if that went well.
func (e *Engine) handOver(give func(export func() *engine.Held) error) error {
	for _, l := range e.listeners {
		if fd := l.waiting; fd >= 0 { // it need not wait any longer
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

// export is all that the engine holds.
func (e *Engine) export() *engine.Held {
	h := &engine.Held{State: saved.State{Names: e.registry.Snapshot()}}
	for _, l := range e.listeners {
		if l.fd >= 0 {
			h.ListenerFDs = append(h.ListenerFDs, l.fd)
		}
	}
	e.slots.all(func(c *socket) {
		if c.Registered {
			h.Add(e.exportConn(c), int(c.fd))
		}
	})
	e.table.Unregistered(func(c *socket) { h.Add(e.exportConn(c), int(c.fd)) })
	return h
}

// stand is where a connection stands.
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
		if w.queue != nil {
			k.Age = e.now() + w.queue.wait - w.until
		}
	case w.after == session.StopDaemon:
		k.Phase = saved.Stopping
	case w.after == session.Close || w.session.Ended():
		k.Phase = saved.Closing
	}
	return k
}

// letGo ends the engine without a word to those at the other end of the sockets,
// which are another process's.
func (e *Engine) letGo(why error, tell func(*socket)) {
	e.ending, e.stopping, e.err = true, true, why
	// The watch first: it would outlast the descriptors, as the sockets do.
	closeFile(e.poll)
	e.poll = -1
	for _, l := range e.listeners {
		if u, ok := l.unix.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
	}
	e.closeListeners()
	e.slots.all(func(c *socket) {
		tell(c)
		closeFile(int(c.fd))
		e.table.Remove(c)
		e.table.EndRequest(c)
		e.endWork(c)
		e.slots.free(c)
	})
}

func (e *Engine) Resume(lns []net.Listener, h *engine.Held, begin func() error) error {
	taken, err := openListeners(lns)
	if err != nil {
		sockets.CloseListeners(lns)
		sockets.CloseAll(h.ConnFDs)
		return err
	}
	result := make(chan error, 1)
	if !e.order(func() { result <- e.resumeInLoop(lns, taken, h, begin) }) {
		closeAll(taken)
		sockets.CloseAll(h.ConnFDs)
		return engine.ErrClosed
	}
	return <-result
}

// beginWith makes everything ready, begins, and goes on.
func (e *Engine) resumeInLoop(lns []net.Listener, taken []*listener, h *engine.Held, begin func() error) error {
	e.makeDaemon(lns)
	err := e.restore(h)
	if err == nil {
		err = e.watchListeners(taken)
	} else {
		closeAll(taken)
	}
	if err == nil {
		err = begin()
	}
	if err != nil {
		e.letGo(err, func(*socket) {})
		return err
	}
	e.resumeConns(h)
	e.acceptAllEarly(taken)
	return nil
}

var errOwners = errors.New("connections with numbers that cannot be")

// takeIn gives the connections of another engine their places. It touches none of
// them. If it fails, they are closed, or will be by letGo.
func (e *Engine) restore(h *engine.Held) error {
	if h == nil {
		return nil
	}
	owners := make([]registry.Owner, len(h.Conns))
	for i, k := range h.Conns {
		owners[i] = k.Owner
	}
	if !e.slots.restore(owners) {
		sockets.CloseAll(h.ConnFDs)
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
			return engine.ErrLimit
		}
	}
	return nil
}

// seatAs has a connection stand where it stood.
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

// goOn goes on with the connections of another engine.
func (e *Engine) resumeConns(h *engine.Held) {
	if h == nil {
		return
	}
	holders := engine.Holders(h.Names)
	for _, k := range h.Conns {
		c := e.slots.find(k.Owner)
		if c == nil || e.stopping {
			continue
		}
		e.report.State(c, stateOf(k.Phase))
		switch {
		case k.Phase == saved.Registered && !holders[k.Owner]:
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

// readOn goes on with a request of which a part may have arrived elsewhere.
func (e *Engine) resumeRequest(c *socket, k saved.Conn) {
	w := c.work
	if k.Phase == saved.Reading {
		w.startTimeoutSince(&e.reading, e.now()-k.Age)
		if w.queue != nil {
			e.wakeAt(w.until)
		}
	}
	for in := k.In; len(in) > 0; {
		c.Begun = true
		n := min(len(in), w.session.Want())
		if res := w.session.Feed(e.started, in[:n], e.reply[:0]); res.Verdict != session.More {
			e.obey(c, res)
			return
		}
		in = in[n:]
	}
}

func (e *Engine) File(o registry.Owner) (*os.File, error) {
	var f *os.File
	var err error
	done := make(chan struct{})
	if !e.order(func() {
		defer close(done)
		if c := e.slots.find(o); c != nil {
			var fd int
			if fd, err = unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0); err == nil {
				f = os.NewFile(uintptr(fd), "connection")
			}
		}
	}) {
		return nil, nil
	}
	<-done
	return f, err
}

// joinSince goes into a line where those stand who have waited as long.
func (w *work) startTimeoutSince(l *timeouts, since time.Duration) {
	w.stopTimeout()
	if l.wait == 0 {
		return
	}
	w.queue, w.until = l, since+l.wait
	before := l.last
	for before != nil && before.until > w.until {
		before = before.prev
	}
	w.prev, w.next = before, l.first
	if before != nil {
		w.next, before.next = before.next, w
	} else {
		l.first = w
	}
	if w.next != nil {
		w.next.prev = w
	} else {
		l.last = w
	}
}

// stateOf is the first state of a connection that is taken over.
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
