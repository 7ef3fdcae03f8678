package main

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/goepmd/goepmd/epmd"
)

const (
	// memoryTick is how often is looked whether very many connections have gone.
	memoryTick = 2 * time.Second
	// memoryDrop is how many connections fewer than at their height are worth
	// giving memory back for.
	memoryDrop = 1000
)

// giveBackMemory returns memory to the system soon after very many connections have
// gone, until the context ends. Go's runtime would do so only with its next collections,
// for which a daemon that has little to do may wait for long.
func giveBackMemory(ctx context.Context, s *epmd.Server) {
	tick := time.NewTicker(memoryTick)
	defer tick.Stop()
	var d drain
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if d.due(s.Stats().Conns) {
			debug.FreeOSMemory()
		}
	}
}

// drain says when memory is worth giving back: each time that half of very many connections
// have gone, and once more when no more go, for what the rest of them took.
type drain struct {
	height, last int
	owing        bool
}

func (d *drain) due(conns int) bool {
	before := d.last
	d.last = conns
	switch {
	case conns > d.height:
		d.height = conns
	case d.height-conns >= memoryDrop && conns <= d.height/2:
		d.height, d.owing = conns, true
		return true
	case d.owing && conns >= before:
		d.owing = false
		return true
	}
	return false
}
