package epoll

import (
	"time"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
)

// probeDelay is how long a connection has been registered, at most, before the system is
// asked to probe it: that costs as much as a twentieth of a registration, and is nothing
// for those that end at once.
const probeDelay = time.Second

// young are registered connections that are not probed yet.
type young struct {
	owners []registry.Owner
	until  time.Duration // since the engine's start, if there are any
}

// probeLater has a connection probed, if it lasts.
func (e *Engine) probeLater(c *socket) {
	if e.limits.KeepAlive <= 0 || c.port == 0 {
		return
	}
	if c.work.early {
		sockets.PresetKeepAlive(int(c.fd), e.limits.KeepAlive)
	}
	if len(e.young.owners) == 0 {
		e.young.until = e.now() + probeDelay
		e.wakeAt(e.young.until)
	}
	e.young.owners = append(e.young.owners, c.Owner)
}

// probeYoung begins to probe those that have lasted.
func (e *Engine) probeYoung(now time.Duration) {
	switch {
	case len(e.young.owners) == 0:
		return
	case now < e.young.until:
		e.wakeAt(e.young.until)
		return
	}
	for _, o := range e.young.owners {
		if c := e.slots.find(o); c != nil && c.Registered {
			sockets.StartKeepAlive(int(c.fd))
		}
	}
	e.young.owners = e.young.owners[:0]
}
