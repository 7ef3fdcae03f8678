package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// Why [Server.Listen] fails.
var (
	// ErrAlreadyRunning: an address is in use, which among EPMDs means that
	// one is running already. Programs take that for success, as OTP's epmd
	// does with exit status 0, and use the one that runs.
	ErrAlreadyRunning = errors.New("epmd: there is already an epmd running")
	// ErrTooManyAddresses: more than MaxAddresses were named.
	ErrTooManyAddresses = errors.New("epmd: too many addresses to listen on")
)

var (
	loopbacks = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	wildcards = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
)

// Listen opens the listeners that Addresses and Port ask for. Without addresses
// these are 0.0.0.0 and ::, each for its own family. With addresses, both loopback
// addresses come first, and one of these two that cannot be bound is logged and left
// out; any other must be bound. Left out is what the system lacks the family for, and
// what 0.0.0.0 or ::, if named, listens on already.
//
// Its errors are ErrAlreadyRunning, ErrTooManyAddresses, or the system's. If it
// fails, it leaves nothing open.
func (s *Server) Listen(ctx context.Context) ([]net.Listener, error) {
	if len(s.Addresses) > MaxAddresses {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooManyAddresses, len(s.Addresses), MaxAddresses)
	}
	port := s.port(nil)
	addrs, implied := s.listenAddrs()
	var lns []net.Listener
	var skipped error
	for i, a := range addrs {
		ln, err := listen(ctx, a, port)
		switch {
		case err == nil:
			lns = append(lns, ln)
		case sockets.IsInUse(err) && slices.Contains(addrs[:i], wildcardOf(a)): // by that one
		case sockets.IsInUse(err):
			sockets.CloseListeners(lns)
			return nil, fmt.Errorf("%w at port %d on %s: %w", ErrAlreadyRunning, port, a, err)
		case sockets.IsNoFamily(err):
			skipped = err
		case i < implied && !sockets.NoFiles(err):
			skipped = err
			s.init().report.Log.Warn("a loopback address cannot be listened on and is left out", "address", a, "err", err)
		default:
			sockets.CloseListeners(lns)
			return nil, fmt.Errorf("epmd: cannot listen on %s: %w", a, err)
		}
	}
	if len(lns) == 0 {
		return nil, fmt.Errorf("epmd: no address to listen on: %w", skipped)
	}
	return lns, nil
}

// listenAddrs are the addresses to listen on, each once; the first so many are
// implied. Naming all addresses of a family makes its loopback one
// superfluous, which would clash (OTP 29 has it so; before, this failed). They come
// before those that they include.
func (s *Server) listenAddrs() (addrs []netip.Addr, implied int) {
	if len(s.Addresses) == 0 {
		return wildcards, 0
	}
	for i, a := range loopbacks {
		if !slices.Contains(s.Addresses, wildcards[i]) {
			addrs = append(addrs, a)
		}
	}
	implied = len(addrs)
	for _, a := range wildcards {
		if slices.Contains(s.Addresses, a) {
			addrs = append(addrs, a)
		}
	}
	for _, a := range s.Addresses {
		if !slices.Contains(addrs, a) {
			addrs = append(addrs, a)
		}
	}
	return addrs, implied
}

// wildcardOf means all addresses of the family of an address.
func wildcardOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return wildcards[0]
	}
	return wildcards[1]
}

func listen(ctx context.Context, a netip.Addr, port uint16) (net.Listener, error) {
	// Every accepted connection would be given keep-alive probes, at the price
	// of several system calls; only registered ones have use for them.
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	network := "tcp4"
	if a.Is6() {
		network = "tcp6" // of its own family only, even for ::
	}
	return lc.Listen(ctx, network, net.JoinHostPort(a.String(), strconv.Itoa(int(port))))
}
