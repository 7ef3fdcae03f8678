package testbed

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// AwaitRead waits until what was sent has been read by a program on this machine, where
// that can be known: the system tells how much is left. It gives up after ten seconds.
func AwaitRead(c *net.TCPConn) {
	for end := time.Now().Add(Patience / 2); unread(c) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// unread says that the other end of a connection is on this machine and has something to
// read.
func unread(c *net.TCPConn) bool {
	theirs, ours := c.RemoteAddr().(*net.TCPAddr).Port, c.LocalAddr().(*net.TCPAddr).Port
	from, to := fmt.Sprintf(":%04X", theirs), fmt.Sprintf(":%04X", ours)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(table)
		if err != nil {
			continue // there may be no IPv6
		}
		for line := range strings.Lines(string(b)) {
			// Number, local and remote address, state, what waits to be sent and to be read.
			if !strings.Contains(line, from) {
				continue // it may be one of very many
			}
			f := strings.Fields(line)
			if len(f) > 4 && strings.HasSuffix(f[1], from) && strings.HasSuffix(f[2], to) {
				return !strings.HasSuffix(f[4], ":00000000")
			}
		}
	}
	return false
}
