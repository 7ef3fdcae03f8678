package testbed

import "net"

// CheckIPv6 fails on a machine whose loopback lacks IPv6: its error says why ::1 cannot be
// listened on.
func CheckIPv6() error {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return err
	}
	return ln.Close()
}
