//go:build !unix

package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

var errNoHandoff = fmt.Errorf("%w: this system hands over no sockets: %w", ErrHandoff, errors.ErrUnsupported)

func expectSuccessor(context.Context, *net.UnixConn) error      { return errNoHandoff }
func give(context.Context, *net.UnixConn, *held) error          { return errNoHandoff }
func (st *state) takeOver(context.Context, *net.UnixConn) error { return errNoHandoff }
func closeFiles([]int)                                          {}
func duplicate(syscall.Conn) (int, error)                       { return -1, errNoHandoff }

func adopt(f *os.File) (int, netip.AddrPort, error) {
	_ = f.Close() // it cannot be used
	return -1, netip.AddrPort{}, errNoHandoff
}
