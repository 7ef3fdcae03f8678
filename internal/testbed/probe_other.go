//go:build !unix

package testbed

import (
	"net"
	"strconv"
)

// isFree says whether nobody listens on a port, at any address.
func isFree(port uint16) bool {
	ln, err := net.Listen("tcp", ":"+strconv.Itoa(int(port)))
	return err == nil && ln.Close() == nil
}
