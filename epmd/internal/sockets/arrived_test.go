package sockets

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pair is both ends of a connection over TCP.
func pair(t *testing.T) (ours net.Conn, theirs *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	ours, err = ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = ours.Close(), c.Close() }) // most are closed
	return ours, c.(*net.TCPConn)
}

// TestArrived: what has arrived is told and stays, until it is read.
func TestArrived(t *testing.T) {
	ours, theirs := pair(t)
	comes := func(want Arrival) {
		t.Helper()
		require.Eventually(t, func() bool { return Arrived(ours) == want }, 20*time.Second, time.Millisecond)
	}
	require.Equal(t, Nothing, Arrived(ours))
	_, err := theirs.Write([]byte("ab"))
	require.NoError(t, err)
	comes(Bytes)
	require.NoError(t, theirs.CloseWrite())
	require.Equal(t, Bytes, Arrived(ours), "the end is behind them")
	b := make([]byte, 3)
	n, err := ours.Read(b)
	require.NoError(t, err)
	require.Equal(t, "ab", string(b[:n]))
	comes(End)
	require.Equal(t, End, Arrived(ours))
	require.NoError(t, ours.Close())
	require.Equal(t, Nothing, Arrived(ours), "it is closed here")

	ours, theirs = pair(t)
	require.NoError(t, theirs.SetLinger(0))
	require.NoError(t, theirs.Close())
	comes(End) // a reset

	ours, _ = net.Pipe()
	require.Equal(t, Nothing, Arrived(ours), "of others it is not known")
}

// TestArrivedBesideRead: a read that waits takes nothing from who looks.
func TestArrivedBesideRead(t *testing.T) {
	ours, theirs := pair(t)
	raw := Raw(ours)
	require.NotNil(t, raw)
	waits, goOn, read := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var n int
	go func() {
		first := true
		read <- raw.Read(func(fd uintptr) bool {
			b := make([]byte, 3)
			if first {
				first = false
				close(waits)
				return false // it waits, though
			}
			<-goOn
			var arrived bool
			n, arrived, _ = ReadArrived(fd, b)
			return arrived
		})
	}()
	<-waits
	require.Equal(t, Nothing, Arrived(ours))
	_, err := theirs.Write([]byte("ab"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return Arrived(ours) == Bytes }, 20*time.Second, time.Millisecond)
	close(goOn)
	require.NoError(t, <-read)
	require.Equal(t, 2, n)
	require.Equal(t, Nothing, Arrived(ours))
}
