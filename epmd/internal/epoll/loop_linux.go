package epoll

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
)

// New begins a loop that serves nothing yet.
func New(c *engine.Config) (*Engine, error) {
	e := &Engine{
		config:   c,
		report:   c.Report,
		registry: c.Registry,
		log:      c.Report.Log,
		limits:   c.Limits,
		started:  time.Now(),
		poll:     -1,
		wake:     -1,
		timer:    -1,
		reading:  timeouts{wait: c.Limits.PacketTimeout},
		writing:  timeouts{wait: c.Limits.WriteTimeout},
		delayed:  timeouts{wait: c.WriteDelay},
		awaiting: timeouts{wait: c.TakenGrace},
		done:     make(chan struct{}),
	}
	e.table.Init(c.Limits)
	if err := e.openFiles(); err != nil {
		e.closeFiles()
		return nil, fmt.Errorf("epmd: cannot make an event loop: %w", err)
	}
	e.report.InHook = e.enterHook
	go e.loop()
	return e, nil
}

// open makes the descriptors that the loop needs.
func (e *Engine) openFiles() (err error) {
	if e.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if e.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	if e.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return err
	}
	e.spare.Reserve()
	if err := watchFor(e.poll, unix.EPOLL_CTL_ADD, e.wake, unix.EPOLLIN, idWake<<slotBits); err != nil {
		return err
	}
	return watchFor(e.poll, unix.EPOLL_CTL_ADD, e.timer, unix.EPOLLIN, idTimer<<slotBits)
}

func (e *Engine) closeFiles() {
	for _, fd := range []int{e.poll, e.wake, e.timer} {
		if fd >= 0 {
			closeFile(fd)
		}
	}
	e.spare.Close()
}

// loop is the engine's goroutine. The end of connections comes first (see note),
// then requests, then what was asked of the engine from elsewhere.
func (e *Engine) loop() {
	defer close(e.done)
	for !e.stopping {
		e.turn++
		e.watchOld()
		e.ready = append(e.ready, e.again...)
		e.again = e.again[:0]
		if !e.swept || !e.unaccepted && len(e.ready) == 0 {
			e.wait()
		}
		e.swept = false
		for i := 0; i < len(e.ready); i++ {
			if c := e.slots.find(e.ready[i]); c != nil {
				e.handle(c)
			}
		}
		e.ready = e.ready[:0]
		e.acceptAll()
		if e.rung {
			e.rung = false
			e.ring()
		}
		if e.woken {
			e.woken = false
			e.obeyOrders()
		}
	}
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.obeyOrders()
	if errors.Is(e.err, engine.ErrKilled) {
		e.config.Killed.Store(true)
	}
	e.slots.all(func(c *socket) { e.drop(c, places.CauseShutdown, engine.ErrClosed) })
	e.config.Ended(e)
	e.removeListeners(e.listeners)
	e.closeFiles()
}

// ring handles the time-outs that are over.
func (e *Engine) ring() {
	var count [8]byte
	_, _ = unix.Read(e.timer, count[:]) // it only says how often
	e.alarm = 0
	now := e.now()
	for w := e.reading.expired(now); w != nil; w = e.reading.expired(now) {
		e.timeOut(w)
	}
	for w := e.writing.expired(now); w != nil; w = e.writing.expired(now) {
		e.report.WriteErrors.Add(1)
		e.unanswered(w.socket, engine.ErrNotRead)
	}
	for w := e.delayed.expired(now); w != nil; w = e.delayed.expired(now) {
		w.stopTimeout()
		e.flush(w.socket)
	}
	for w := e.awaiting.expired(now); w != nil; w = e.awaiting.expired(now) {
		e.retry(w.socket.Owner, true)
	}
	if e.ending && now >= e.silentEnd {
		e.endSilent()
	}
	e.resumePaused(now)
	e.probeYoung(now)
	for _, l := range []*timeouts{&e.reading, &e.writing, &e.delayed, &e.awaiting} {
		if l.first != nil {
			e.wakeAt(l.first.until)
		}
	}
	if e.ending && now < e.silentEnd {
		e.wakeAt(e.silentEnd)
	}
}

// expired is the first work of a queue if its time-out is over.
func (l *timeouts) expired(now time.Duration) *work {
	if l.first != nil && l.first.until <= now {
		return l.first
	}
	return nil
}

// timeOut closes a connection that has not completed its request in time.
func (e *Engine) timeOut(w *work) {
	if e.ending && !w.socket.Spoke {
		e.finish(w.socket, engine.ErrClosed)
		return
	}
	e.report.TimedOut.Add(1)
	e.finish(w.socket, engine.ErrTimedOut)
}

// endSilent closes what has sent nothing until the end of the server.
func (e *Engine) endSilent() {
	e.slots.all(func(c *socket) {
		if c.UnderWay && !c.Spoke {
			e.finish(c, engine.ErrClosed)
		}
	})
}
