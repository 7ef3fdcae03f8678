//go:build !unix

package main

import (
	"context"
	"errors"

	"github.com/goepmd/goepmd/epmd"
)

// portTaken says whether a server could not listen since somebody else does. It listens
// for that, for a moment.
func portTaken(ctx context.Context, s *epmd.Server) bool {
	lns, err := s.Listen(ctx)
	for _, ln := range lns {
		_ = ln.Close() // nobody was served
	}
	return errors.Is(err, epmd.ErrAlreadyRunning)
}
