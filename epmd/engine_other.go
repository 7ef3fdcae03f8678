//go:build !linux

package epmd

import (
	"context"
	"errors"
	"net"
)

var errNoLoop = errors.New("only Linux has it")

func newLoop(*config) (engine, error) { return nil, errNoLoop }
func fitForLoop([]net.Listener) error { return errNoLoop }

func (*state) handOver(context.Context, *net.UnixConn, handing) error { return ErrPortable }
func (*state) takeOver(context.Context, *net.UnixConn) error          { return ErrPortable }
