package doctor_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

const cookie = "goepmd_test" // that of otptest's nodes

// hosts is a resolver that knows these names.
type hosts map[string][]string

func (h hosts) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, a := range h[host] {
		out = append(out, netip.MustParseAddr(a))
	}
	if len(out) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, nil
}

// newDoctor knows nothing of the machine's names and processes, so that others on this
// machine do not matter.
func newDoctor(port uint16) *doctor.Doctor {
	return &doctor.Doctor{
		Port:      port,
		Timeout:   20 * time.Second, // nothing that answers is cut short on a busy machine
		Hostname:  func() (string, error) { return "here", nil },
		Resolver:  hosts{"here": {"127.0.0.1"}, "localhost": {"127.0.0.1"}},
		Processes: func() ([]doctor.Process, error) { return nil, nil },
		Listeners: func() ([]doctor.Listener, error) { return nil, nil },
	}
}

// short is for set-ups in which something never answers.
const short = 3 * time.Second

// examine gives the report on a target, whose findings must have these codes, no others.
func examine(t *testing.T, d *doctor.Doctor, target string, want ...doctor.Code) doctor.Report {
	t.Helper()
	rep, err := d.Examine(t.Context(), target)
	require.NoError(t, err)
	var got []doctor.Code
	for _, f := range rep.Findings {
		got = append(got, f.Code)
		require.NotEmpty(t, f.Seen)
		require.NotEmpty(t, f.Do)
	}
	require.Equal(t, want, got, "%+v", rep)
	require.Equal(t, len(want) == 0, rep.Healthy())
	if rep.Healthy() {
		for _, s := range rep.Steps {
			require.NotEqual(t, doctor.Broken, s.Status, "%+v", s)
		}
	}
	return rep
}

// listen listens at host:port; port 0 is a free one.
func listen(t *testing.T, host string, port uint16) (net.Listener, uint16) {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	return ln, uint16(ln.Addr().(*net.TCPAddr).Port)
}

// daemon is an EPMD of ours at one port of these addresses.
func daemon(t *testing.T, port uint16, hosts ...string) uint16 {
	t.Helper()
	var lns []net.Listener
	for _, h := range hosts {
		var ln net.Listener
		ln, port = listen(t, h, port)
		lns = append(lns, ln)
	}
	s := &epmd.Server{Port: port}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(lns...) }()
	t.Cleanup(func() {
		_ = s.Close() // is always nil
		if err := <-ended; !errors.Is(err, epmd.ErrServerClosed) {
			t.Errorf("the daemon ended by itself: %v", err)
		}
	})
	return port
}

// register holds a name at an EPMD until the test ends.
func register(t *testing.T, epmdHost string, epmdPort uint16, n wire.Node) {
	t.Helper()
	c := &epmd.Client{Addr: net.JoinHostPort(epmdHost, strconv.Itoa(int(epmdPort)))}
	r, err := c.Register(t.Context(), n)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() }) // is always nil
}

func node(name string, port uint16) wire.Node {
	return wire.Node{Name: name, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
}

// serve gives what connects to a listener to a function, until the test ends.
func serve(t *testing.T, ln net.Listener, f func(net.Conn)) {
	t.Helper()
	done := make(chan struct{})
	var open []net.Conn
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return // closed by the test's end
			}
			open = append(open, c)
			go f(c)
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
		for _, c := range open {
			_ = c.Close()
		}
	})
}

// goNode is a node written in Go that listens on a host's address, and gives its port.
func goNode(t *testing.T, name, host string) uint16 {
	t.Helper()
	ln, port := listen(t, host, 0)
	n := cnode.Node{Name: name, Cookie: cookie, Creation: 5}
	ctx := t.Context()
	serve(t, ln, func(c net.Conn) {
		if conn, err := n.Accept(ctx, c); err == nil {
			_ = conn.Serve(ctx) // until the other leaves
			_ = conn.Close()
		}
	})
	return port
}

// freePort is a port that nobody listens at.
func freePort(t *testing.T) uint16 {
	t.Helper()
	p, err := testbed.FreePort()
	require.NoError(t, err)
	return p
}

// program starts an EPMD program, and waits until it answers at 127.0.0.1.
func program(t *testing.T, path string, port uint16, args ...string) *testbed.Process {
	t.Helper()
	p, err := testbed.StartOn(t.Context(), port, testbed.Command(path, slices.Concat([]string{"-port", strconv.Itoa(int(port))}, args)...))
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

// far makes a doctor reach an address that is not of this machine at 127.0.0.1.
func far(d *doctor.Doctor, address string) {
	d.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(at)
		if err != nil {
			return nil, err
		}
		if host == address {
			host = "127.0.0.1"
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
	}
}

// needIPv6 skips a test on a machine whose loopback lacks IPv6.
func needIPv6(t *testing.T) {
	t.Helper()
	if err := testbed.CheckIPv6(); err != nil {
		t.Skipf("SKIPPED: this machine has no ::1: %v; enable it: sysctl net.ipv6.conf.all.disable_ipv6=0", err)
	}
}
