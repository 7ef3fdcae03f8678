package testbed_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/testbed"
)

// connect gives both ends of a connection.
func connect(t *testing.T) (*testbed.Conn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	ours, err := testbed.Dial(t.Context(), net.Dialer{}, ln.Addr().(*net.TCPAddr).AddrPort())
	require.NoError(t, err)
	theirs, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, ours.Close())
		_ = theirs.Close() // some tests have closed it
	})
	return ours, theirs.(*net.TCPConn)
}

// TestSegments: what is sent arrives, in as many pieces as it was sent in.
func TestSegments(t *testing.T) {
	ours, theirs := connect(t)
	b := make([]byte, 10)
	for _, s := range []string{"a", "bc", "d"} {
		require.NoError(t, ours.Send([]byte(s)))
		ours.Delivered()
		n, err := theirs.Read(b)
		require.NoError(t, err)
		require.Equal(t, s, string(b[:n]))
	}
	require.NoError(t, ours.HalfClose())
	_, err := theirs.Read(b)
	require.ErrorIs(t, err, io.EOF)
}

// TestAnswerAndEnd: bytes, silence and an end are told apart.
func TestAnswerAndEnd(t *testing.T) {
	ours, theirs := connect(t)
	got, err := ours.Recv([]byte("before "), time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, "before ", string(got))
	_, err = theirs.Write([]byte("answer"))
	require.NoError(t, err)
	got, err = ours.Recv(got, testbed.Patience)
	require.NoError(t, err)
	require.Equal(t, "before answer", string(got))
	require.NoError(t, theirs.Close())
	for range 2 {
		got, err = ours.Recv(nil, testbed.Patience)
		require.ErrorIs(t, err, io.EOF)
		require.Empty(t, got)
	}
}

// TestReset: a reset by either side is seen as one, and neither is an error to send to or
// to leave.
func TestReset(t *testing.T) {
	ours, theirs := connect(t)
	require.NoError(t, theirs.SetLinger(0))
	require.NoError(t, theirs.Close())
	for range 2 {
		_, err := ours.Recv(nil, testbed.Patience)
		require.ErrorIs(t, err, testbed.ErrReset)
	}
	require.NoError(t, ours.Send([]byte("late")))
	require.NoError(t, ours.Send([]byte("later")))
	require.NoError(t, ours.HalfClose())
	require.NoError(t, ours.Reset())

	ours, theirs = connect(t)
	require.NoError(t, ours.Reset())
	_, err := theirs.Read(make([]byte, 1))
	require.ErrorContains(t, err, "reset")
}

// TestRecvAll: all until the end, or what there is of it.
func TestRecvAll(t *testing.T) {
	ours, theirs := connect(t)
	_, err := theirs.Write([]byte("half"))
	require.NoError(t, err)
	got, err := ours.RecvAll(10 * time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, "half", string(got))
	_, err = theirs.Write(make([]byte, 10_000))
	require.NoError(t, err)
	got, err = ours.RecvLen(600, testbed.Patience)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(got), 600)
	require.NoError(t, theirs.Close())
	rest, err := ours.RecvAll(testbed.Patience)
	require.NoError(t, err)
	require.Len(t, rest, 10_000-len(got))
	_, err = ours.RecvLen(1, testbed.Patience)
	require.ErrorIs(t, err, io.EOF)
}

// TestDialErrors: an address at which nobody listens, and one that this machine lacks.
func TestDialErrors(t *testing.T) {
	port, err := testbed.FreePort()
	require.NoError(t, err)
	_, err = testbed.Dial(t.Context(), net.Dialer{}, testbed.Loopback(port))
	require.ErrorIs(t, err, testbed.ErrRefused)
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("192.0.2.1")}}
	_, err = testbed.Dial(t.Context(), from, testbed.Loopback(port))
	require.ErrorIs(t, err, testbed.ErrNoAddress)
	_, err = testbed.Dial(t.Context(), net.Dialer{}, netip.MustParseAddrPort("[fe80::1%nowhere]:1"))
	require.Error(t, err)
}
