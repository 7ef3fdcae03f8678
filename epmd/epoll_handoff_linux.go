package epmd

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
)

// A handover is one step of the loop, on either side: for as long as it takes,
// nothing else touches a socket.

func (e *epoll) handoff(give func(export func() *held) error) error {
	result := make(chan error, 1)
	if !e.order(func() { result <- e.giveAway(give) }) {
		return errClosed
	}
	return <-result
}

// giveAway hands over, and ends if that went well.
func (e *epoll) giveAway(give func(export func() *held) error) error {
	for _, l := range e.listeners {
		if fd := l.held; fd >= 0 { // it need not wait any longer
			l.held = -1
			e.welcome(l, fd, &l.from)
		}
	}
	if e.ending {
		return errClosed
	}
	if err := give(e.export); err != nil {
		return err
	}
	e.letGo(errHandedOver, func(c *socket) { e.report.state(c, stageHandedOver) })
	return nil
}

// export is all that the engine holds.
func (e *epoll) export() *held {
	h := &held{State: saved.State{Names: e.registry.Snapshot()}}
	for _, l := range e.listeners {
		if l.fd >= 0 {
			h.listeners = append(h.listeners, l.fd)
		}
	}
	e.slots.all(func(c *socket) {
		if c.registered {
			h.add(e.stand(c), int(c.fd))
		}
	})
	for _, first := range []*socket{e.table.refused.first, e.table.unfinished.first} {
		for c := first; c != nil; c = c.next {
			h.add(e.stand(c), int(c.fd))
		}
	}
	return h
}

// stand is where a connection stands.
func (e *epoll) stand(c *socket) saved.Conn {
	k := saved.Conn{Owner: c.owner, Phase: saved.Reading, More: c.more, Remote: netip.AddrPortFrom(c.remote, c.port)}
	switch {
	case c.registered:
		k.Phase = saved.Registered
	case c.queued == queuedRefused:
		k.Phase = saved.Refused
	}
	w := c.work
	if w == nil {
		return k
	}
	k.In, k.Out = w.session.Partial(), w.out
	switch {
	case len(w.out) == 0:
		if w.line != nil {
			k.Age = e.now() + w.line.wait - w.until
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
func (e *epoll) letGo(why error, tell func(*socket)) {
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
		e.table.remove(c)
		e.table.settled(c)
		e.giveBack(c)
		e.slots.free(c)
	})
}

func (e *epoll) takeUp(lns []net.Listener, h *held, begin func() error) error {
	taken, err := takeOver(lns)
	if err != nil {
		closeAll(lns)
		closeFiles(h.conns)
		return err
	}
	result := make(chan error, 1)
	if !e.order(func() { result <- e.beginWith(lns, taken, h, begin) }) {
		closeTaken(taken)
		closeFiles(h.conns)
		return errClosed
	}
	return <-result
}

// beginWith makes everything ready, begins, and goes on.
func (e *epoll) beginWith(lns []net.Listener, taken []*listener, h *held, begin func() error) error {
	e.know(lns)
	err := e.takeIn(h)
	if err == nil {
		err = e.watchListeners(taken)
	} else {
		closeTaken(taken)
	}
	if err == nil {
		err = begin()
	}
	if err != nil {
		e.letGo(err, func(*socket) {})
		return err
	}
	e.goOn(h)
	e.acceptAllEarly(taken)
	return nil
}

var errOwners = errors.New("connections with numbers that cannot be")

// takeIn gives the connections of another engine their places. It touches none of
// them. If it fails, they are closed, or will be by letGo.
func (e *epoll) takeIn(h *held) error {
	if h == nil {
		return nil
	}
	owners := make([]registry.Owner, len(h.Conns))
	for i, k := range h.Conns {
		owners[i] = k.Owner
	}
	if !e.slots.restore(owners) {
		closeFiles(h.conns)
		return errOwners
	}
	for i, k := range h.Conns {
		c := e.slots.find(k.Owner)
		c.fd, c.remote, c.port = int32(h.conns[i]), k.Remote.Addr(), k.Remote.Port()
		e.table.add(c)
		e.seatAs(c, k)
	}
	for _, k := range h.Conns {
		if !e.watch(e.slots.find(k.Owner), interest) {
			return errLimit
		}
	}
	return nil
}

// seatAs has a connection stand where it stood.
func (e *epoll) seatAs(c *socket, k saved.Conn) {
	holds := k.Phase == saved.Registered
	if holds || k.Phase == saved.Refused {
		e.table.keep(c, holds)
		c.more = k.More
		if len(k.Out) == 0 {
			e.table.settled(c)
			if len(k.In) == 0 {
				return
			}
		}
	}
	w := e.takeWork(c)
	w.out, w.shared = k.Out, true
	switch k.Phase {
	case saved.Registered, saved.Refused:
		w.after = session.Keep
		w.session = e.daemon.Resume(c.owner, holds)
		if k.More {
			w.session = e.daemon.ResumeAlive3(c.owner, w, holds)
		}
	case saved.Reading:
		w.session = e.daemon.Open(c.owner, w, e.begun)
	case saved.Closing, saved.Stopping:
		w.after = session.Close
		if k.Phase == saved.Stopping {
			w.after = session.StopDaemon
		}
		w.session = e.daemon.Resume(c.owner, false)
		w.session.End(registry.ReasonClosed)
	}
}

// goOn goes on with the connections of another engine.
func (e *epoll) goOn(h *held) {
	if h == nil {
		return
	}
	holders := holders(h.Names)
	for _, k := range h.Conns {
		c := e.slots.find(k.Owner)
		if c == nil || e.stopping {
			continue
		}
		e.report.state(c, stateOf(k.Phase))
		switch {
		case k.Phase == saved.Registered && !holders[k.Owner]:
			e.drop(c, causeStopped, errStopped)
			continue
		case k.Phase == saved.Registered && e.limits.keepAlive > 0 && c.port != 0:
			presetKeepAlive(int(c.fd), e.limits.keepAlive)
			startKeepAlive(int(c.fd))
		}
		switch {
		case len(k.Out) > 0:
			e.flush(c)
		case c.work != nil:
			e.readOn(c, k)
		}
	}
}

// readOn goes on with a request of which a part may have arrived elsewhere.
func (e *epoll) readOn(c *socket, k saved.Conn) {
	w := c.work
	if k.Phase == saved.Reading {
		w.joinSince(&e.reading, e.now()-k.Age)
		if w.line != nil {
			e.wakeAt(w.until)
		}
	}
	for in := k.In; len(in) > 0; {
		c.begun = true
		n := min(len(in), w.session.Want())
		if res := w.session.Feed(e.begun, in[:n], e.reply[:0]); res.Verdict != session.More {
			e.obey(c, res)
			return
		}
		in = in[n:]
	}
}

func (e *epoll) file(o registry.Owner) (*os.File, error) {
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
func (w *work) joinSince(l *line, since time.Duration) {
	w.leave()
	if l.wait == 0 {
		return
	}
	w.line, w.until = l, since+l.wait
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
func stateOf(p saved.Phase) stage {
	switch p {
	case saved.Registered:
		return stageRegistered
	case saved.Refused:
		return stageRefused
	default:
		return stageNew
	}
}
