//go:build !linux

package epmd

import (
	"context"
	"net"
)

func (*state) handOver(context.Context, *net.UnixConn, handing) error { return ErrPortable }
func (*state) takeOver(context.Context, *net.UnixConn) error          { return ErrPortable }
