package epoll

import (
	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// EndIdle has the loop see whether it can end.
func (e *Engine) EndIdle() bool {
	ended := make(chan bool, 1)
	if !e.order(func() { ended <- e.endIdleNow() }) {
		return true
	}
	return <-ended
}

// endIdleNow ends the loop if nobody is there. Nothing can come in between, since the
// loop does everything; but who arrives behind the last look at the listeners is reset
// as they close.
func (e *Engine) endIdleNow() bool {
	if e.ending {
		return true
	}
	if e.registry.Len() > 0 || e.table.UnderWay > 0 {
		return false
	}
	for _, l := range e.listeners {
		if l.waiting >= 0 || l.fd >= 0 && sockets.Readable(l.fd, true) {
			return false
		}
	}
	e.stop(engine.ErrIdle)
	e.config.IdleEnd()
	return true
}
