package handover

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	saved "github.com/goepmd/goepmd/registry/state"
)

// pair is both ends of a connection between two servers.
func pair(t *testing.T) (ours, theirs *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	conns := make([]*net.UnixConn, len(fds))
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		t.Cleanup(func() { _ = c.Close() }) // perhaps it is closed
		conns[i] = c.(*net.UnixConn)
	}
	return conns[0], conns[1]
}

// TestTakeSaysWhoItIs: the one that takes over says first which protocol and which version of
// the state it knows. If the other ends then, nothing begins.
func TestTakeSaysWhoItIs(t *testing.T) {
	ours, theirs := pair(t)
	taken := make(chan error, 1)
	go func() {
		taken <- Take(context.Background(), ours, func([]net.Listener, *engine.Held, func() error) error {
			return errors.New("it began")
		})
	}()
	hello := make([]byte, len(helloMark)+3)
	_, err := io.ReadFull(theirs, hello)
	require.NoError(t, err)
	require.Equal(t, binary.BigEndian.AppendUint16(append([]byte(helloMark), handoffProtocol), saved.Version), hello)
	require.NoError(t, theirs.Close())
	err = <-taken
	require.Error(t, err)
	require.NotContains(t, err.Error(), "it began")
}

// TestCommitTooLate: nobody serves for a server that has ended before it was told that all is
// ready.
func TestCommitTooLate(t *testing.T) {
	ours, theirs := pair(t)
	require.NoError(t, theirs.Close())
	require.ErrorContains(t, commit(ours), "the other server has ended")
}

// TestRefuseIsCut: a reason is told as far as its length can be.
func TestRefuseIsCut(t *testing.T) {
	ours, theirs := pair(t)
	go func() {
		refuse(ours, errors.New(strings.Repeat("x", 1<<17)))
		_ = ours.Close()
	}()
	got, err := io.ReadAll(theirs)
	require.NoError(t, err)
	require.Equal(t, "X\xff\xff"+strings.Repeat("x", 1<<16-1), string(got))
}
