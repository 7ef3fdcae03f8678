package epoll

import "github.com/goepmd/goepmd/epmd/internal/engine"

// end accepts no more, for the given reason, and leaves silent connections a
// short time to begin a request.
func (e *Engine) end(why error) {
	if e.ending {
		return
	}
	e.ending, e.err = true, why
	e.removeListeners(e.listeners)
	e.silentEnd = e.now() + engine.SilentGrace
	e.wakeAt(e.silentEnd)
	for w := e.awaiting.first; w != nil; w = e.awaiting.first {
		e.retry(w.socket.Owner, true)
	}
	e.stopIfDrained()
}

// stop ends the loop.
func (e *Engine) stop(why error) {
	e.end(why)
	e.stopping = true
}

func (e *Engine) stopIfDrained() {
	if e.ending && e.table.UnderWay == 0 {
		e.stopping = true
	}
}
