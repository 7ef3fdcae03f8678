//go:build !linux

package epmd

import (
	"context"
	"errors"
	"net"

	"github.com/goepmd/goepmd/epmd/internal/engine"
)

var errNoLoop = errors.New("only Linux has it")

func newLoop(*engine.Config) (anyEngine, error) { return nil, errNoLoop }
func fitForLoop([]net.Listener) error           { return errNoLoop }

func expectSuccessor(context.Context, *net.UnixConn) error    { return ErrPortable }
func give(context.Context, *net.UnixConn, *engine.Held) error { return ErrPortable }
func take(context.Context, *net.UnixConn, func([]net.Listener, *engine.Held, func() error) error) error {
	return ErrPortable
}
