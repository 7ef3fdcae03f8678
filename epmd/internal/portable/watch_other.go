//go:build !linux

package portable

import (
	"net"

	"github.com/goepmd/goepmd/registry"
)

// watch is nothing here: the goroutine of a connection notices its end, a moment
// later than another's request may be answered.
type watch struct{}

func newWatch() *watch { return nil }

func (*watch) add(net.Conn, registry.Owner, bool)          {}
func (*watch) sweep(func(registry.Owner, registry.Reason)) {}
func (*watch) close()                                      {}

func (*watch) read(c net.Conn, b []byte, effect func(n int)) (int, error) {
	return readPlainly(c, b, effect)
}
