package epmd_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/testbed"
)

func addrs(ss ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range ss {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// TestListen opens what the addresses ask for.
func TestListen(t *testing.T) {
	for name, tt := range map[string]struct{ named, want []string }{
		"all":      {nil, []string{"0.0.0.0", "[::]"}},
		"some":     {[]string{"127.0.0.2"}, []string{"127.0.0.1", "[::1]", "127.0.0.2"}},
		"wildcard": {[]string{"0.0.0.0"}, []string{"[::1]", "0.0.0.0"}},
		"overlap":  {[]string{"127.0.0.2", "::1", "0.0.0.0", "127.0.0.1", "::"}, []string{"0.0.0.0", "[::]"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &epmd.Server{Port: freePort(t), Addresses: addrs(tt.named...)}
			lns, err := s.Listen(context.Background())
			require.NoError(t, err)
			var got, want []string
			for _, ln := range lns {
				got = append(got, ln.Addr().String())
				require.NoError(t, ln.Close())
			}
			for _, host := range tt.want {
				want = append(want, fmt.Sprintf("%s:%d", host, s.Port))
			}
			if testbed.CheckIPv6() != nil {
				t.Skip("SKIPPED: this machine has no IPv6, so one listener of each case cannot be; enable it: sysctl net.ipv6.conf.all.disable_ipv6=0")
			}
			require.Equal(t, want, got)
		})
	}
}

// TestAlreadyRunning: an address in use, named or implied, means that an epmd is
// running.
func TestAlreadyRunning(t *testing.T) {
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, busy.Close()) }()
	port := uint16(busy.Addr().(*net.TCPAddr).Port)
	for name, s := range map[string]*epmd.Server{
		"all":     {Port: port},
		"named":   {Port: port, Addresses: addrs("127.0.0.1")},
		"implied": {Port: port, Addresses: addrs("127.0.0.2")},
		"overlap": {Port: port, Addresses: addrs("127.0.0.1", "0.0.0.0")},
	} {
		t.Run(name, func(t *testing.T) {
			lns, err := s.Listen(context.Background())
			require.ErrorIs(t, err, epmd.ErrAlreadyRunning)
			require.Empty(t, lns)
			require.ErrorIs(t, s.ListenAndServe(context.Background()), epmd.ErrAlreadyRunning)
		})
	}
	other, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.2:%d", port))
	require.NoError(t, err, "a failed Listen leaves nothing open")
	require.NoError(t, other.Close())
}

func TestTooManyAddresses(t *testing.T) {
	s := &epmd.Server{Port: freePort(t)}
	for i := range epmd.MaxAddresses + 1 {
		s.Addresses = append(s.Addresses, netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}))
	}
	_, err := s.Listen(context.Background())
	require.ErrorIs(t, err, epmd.ErrTooManyAddresses)
	fewer := &epmd.Server{Port: s.Port, Addresses: s.Addresses[1:]}
	lns, err := fewer.Listen(context.Background())
	require.NoError(t, err)
	for _, ln := range lns {
		require.NoError(t, ln.Close())
	}
}

// TestUnknownAddress: an address that this machine does not have is an error, and
// leaves nothing open.
func TestUnknownAddress(t *testing.T) {
	var log bytes.Buffer
	s := &epmd.Server{Port: freePort(t), Addresses: addrs("192.0.2.1"), Logger: slog.New(slog.NewTextHandler(&log, nil))}
	_, err := s.Listen(context.Background())
	require.ErrorContains(t, err, "cannot listen on 192.0.2.1")
	require.NotErrorIs(t, err, epmd.ErrAlreadyRunning)
	ln, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", s.Port))
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	if testbed.CheckIPv6() == nil { // else it is said that ::1 is left out
		require.Empty(t, log.String())
	}
}
