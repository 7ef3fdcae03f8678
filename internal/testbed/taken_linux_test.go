package testbed

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTaken: what was sent counts as taken once the other side has read it, on a socket of
// either kind; a reset of before would take it away.
func TestTaken(t *testing.T) {
	for network, at := range map[string]string{"tcp4": "127.0.0.1:0", "tcp": ":0"} {
		t.Run(network, func(t *testing.T) {
			ln, err := net.Listen(network, at)
			require.NoError(t, err)
			defer func() { require.NoError(t, ln.Close()) }()
			c, err := Dial(t.Context(), net.Dialer{}, Loopback(uint16(ln.Addr().(*net.TCPAddr).Port)))
			require.NoError(t, err)
			theirs, err := ln.Accept()
			require.NoError(t, err)
			defer func() { require.NoError(t, theirs.Close()) }()
			require.NoError(t, c.Send([]byte("abc")))
			c.Delivered()
			require.True(t, unread(c.c))
			read := make(chan error, 1)
			go func() {
				time.Sleep(50 * time.Millisecond) // so that it is waited for
				_, err := theirs.Read(make([]byte, 3))
				read <- err
			}()
			c.Taken()
			require.False(t, unread(c.c))
			require.NoError(t, <-read)
			require.NoError(t, c.Close())
		})
	}
}
