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

func (*parts) handOver(context.Context, *net.UnixConn, handingOver) error { return ErrPortable }
func (*parts) resume(context.Context, *net.UnixConn) error                { return ErrPortable }
