package portable

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
)

// TestReadHoldsUpSweeps: nobody sweeps, to answer afterwards, while what was read from a
// connection has not taken effect.
func TestReadHoldsUpSweeps(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	theirs, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	ours, err := ln.Accept()
	require.NoError(t, err)
	defer ours.Close()
	w := newWatch()
	defer w.close()
	w.add(ours, 1, false)
	go func() { _, _ = theirs.Write([]byte("ab")) }() // once somebody waits, perhaps

	e := &Engine{registry: registry.New(registry.Config{})}
	swept := make(chan struct{})
	b := make([]byte, 2)
	n, err := w.read(ours, b[:1], func(n int) {
		require.Equal(t, 1, n)
		go func() {
			w.sweep(e, nil)
			close(swept)
		}()
		select {
		case <-swept:
			require.Fail(t, "a sweep does not wait")
		case <-time.After(20 * time.Millisecond):
		}
	})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	<-swept

	require.NoError(t, theirs.Close())
	none := func(int) { require.Fail(t, "nothing was read") }
	n, err = w.read(ours, b, func(int) {})
	require.NoError(t, err)
	require.Equal(t, "b", string(b[:n]))
	_, err = w.read(ours, b, none)
	require.Equal(t, io.EOF, err)
	require.NoError(t, ours.Close())
	_, err = w.read(ours, b, none)
	require.ErrorIs(t, err, net.ErrClosed)
}
