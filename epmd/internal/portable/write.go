package portable

import (
	"time"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/registry"
)

// write sends a reply. If it cannot, whatever was registered is unregistered.
func (c *conn) write(b []byte) error {
	e := c.engine
	e.sleep(e.config.WriteDelay)
	c.pend(len(b))
	if d := e.config.Limits.WriteTimeout; d > 0 {
		_ = c.net.SetWriteDeadline(time.Now().Add(d)) // where this fails, so does the write
	}
	c.writing.Store(true)
	_, err := c.net.Write(b)
	c.writing.Store(err != nil)
	e.mu.Lock()
	e.notPending(c)
	e.mu.Unlock()
	if err != nil {
		e.report.WriteErrors.Add(1)
		c.session.End(registry.ReasonUnanswered)
	}
	return err
}

// pend counts the bytes of a reply that the peer has not read yet, and closes the
// connections that have to go for MaxPendingBytes.
func (c *conn) pend(n int) {
	e := c.engine
	var victims []*conn
	e.mu.Lock()
	if c.Cause == places.CauseNone {
		c.pending = n
		e.table.Pending.Add(int64(n))
		for v := e.table.SlowVictim(c); v != nil; v = e.table.SlowVictim(c) {
			e.drop(v, places.CauseLimit)
			victims = append(victims, v)
		}
	}
	e.mu.Unlock()
	for _, v := range victims {
		e.report.LimitHit(places.LimitPending)
		v.cutDropped()
	}
}
