package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goepmd/goepmd/internal/testbed"
)

// patience bounds what should happen at once, on a machine that is busy.
const patience = testbed.Patience

// loopback is where a route leads that names no address: 127.0.0.1.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// DialRoute connects to a port of this machine as a route says. It fails with
// [ErrRefused] if nobody listens there, and with [ErrUnsupported] if this machine
// has no such address.
func DialRoute(ctx context.Context, port uint16, r Route) (Conn, error) {
	to, err := r.To.Addr()
	if err != nil {
		return nil, err
	}
	if !to.IsValid() {
		to = loopback
	}
	from, err := r.From.Addr()
	if err != nil {
		return nil, err
	}
	return DialTCP(ctx, netip.AddrPortFrom(to, port), from)
}

// Addr is the address that is meant; invalid is any. It fails with
// [ErrUnsupported] if this machine has none, or if it is no address.
func (e End) Addr() (netip.Addr, error) {
	switch e {
	case "":
		return netip.Addr{}, nil
	case OutsideIPv4, OutsideIPv6:
		return Outside(e == OutsideIPv6)
	}
	a, err := netip.ParseAddr(string(e))
	if err != nil {
		return a, Unsupported("%v", err)
	}
	return a, nil
}

// Outside is an address of this machine that is not a loopback one. It fails with [ErrUnsupported] if there is none.
func Outside(v6 bool) (netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, Unsupported("this machine does not tell its addresses: %v", err)
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue // an address of another kind
		}
		if ip := p.Addr(); ip.Is6() == v6 && ip.IsGlobalUnicast() {
			return ip, nil
		}
	}
	return netip.Addr{}, Unsupported("this machine has no address but loopback to be a remote peer with (IPv6: %v)", v6)
}

// DialTCP connects to an address, from an address if that is valid. It fails with
// [ErrRefused] if nobody listens there.
func DialTCP(ctx context.Context, addr netip.AddrPort, from netip.Addr) (Conn, error) {
	var d net.Dialer
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	c, err := testbed.Dial(ctx, d, addr)
	switch {
	case errors.Is(err, testbed.ErrRefused):
		return nil, fmt.Errorf("%s: %w", addr, ErrRefused)
	case errors.Is(err, testbed.ErrNoAddress):
		return nil, Unsupported("%v", err)
	case err != nil:
		return nil, err
	}
	return tcpConn{c}, nil
}

// tcpConn is a connection over TCP.
type tcpConn struct{ *testbed.Conn }

func (c tcpConn) Recv(b []byte, wait time.Duration) ([]byte, State, error) {
	b, err := c.Conn.Recv(b, wait)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return b, StillOpen, nil
	case errors.Is(err, io.EOF):
		return b, WasClosed, nil
	case errors.Is(err, testbed.ErrReset):
		return b, WasReset, nil
	}
	return b, StillOpen, err
}

// outsides puts this machine's addresses in the place of {outside} and {outside6}.
func outsides(list []string) ([]string, error) {
	out := slices.Clone(list)
	for i, text := range out {
		for _, e := range []End{OutsideIPv4, OutsideIPv6} {
			hole := "{" + string(e) + "}"
			if !strings.Contains(text, hole) {
				continue
			}
			a, err := e.Addr()
			if err != nil {
				return nil, err
			}
			out[i] = strings.ReplaceAll(out[i], hole, a.String())
		}
	}
	return out, nil
}
