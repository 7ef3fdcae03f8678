package conformance_test

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// TestAwaitListening: who only closes connections is not yet the daemon, unless nobody
// else comes.
func TestAwaitListening(t *testing.T) {
	for name, c := range map[string]struct{ closed, asked int32 }{
		"at once":        {0, 1},
		"after a moment": {2, 3},
		"never answers":  {1000, 6},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { _ = ln.Close() })
			var asked atomic.Int32
			go func() {
				for {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					if asked.Add(1) > c.closed {
						_, _ = conn.Read(make([]byte, 64))
						_, _ = conn.Write([]byte{119, 1})
					}
					_ = conn.Close()
				}
			}()
			port := uint16(ln.Addr().(*net.TCPAddr).Port)
			require.NoError(t, conformance.AwaitListening(t.Context(), port, nil))
			require.Equal(t, c.asked, asked.Load())
		})
	}
}
