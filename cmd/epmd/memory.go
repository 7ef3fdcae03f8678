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
	height := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch n := s.Stats().Conns; {
		case n > height:
			height = n
		case height-n >= memoryDrop && n <= height/2:
			debug.FreeOSMemory()
			height = n
		}
	}
}
