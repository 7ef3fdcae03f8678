package main

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// warnIfOpen warns if strangers can reach the daemon and it would tell them its nodes.
func warnIfOpen(log *slog.Logger, a access, lns []net.Listener) {
	if !isEverybody(a.lookup) && !isEverybody(a.names) {
		return // it would not
	}
	var open []string
	for _, ln := range lns {
		if isOpen(ln.Addr()) {
			open = append(open, ln.Addr().String())
		}
	}
	if len(open) > 0 {
		log.Warn("the port is open: whoever reaches it can list the nodes and look up their ports; "+
			"to close it: -address 127.0.0.1, or a firewall, or -allow_lookup and -allow_names", "addresses", strings.Join(open, ","))
	}
}

// isEverybody says whether a list, or that there is none, lets everybody in.
func isEverybody(list []netip.Prefix) bool {
	return list == nil || slices.ContainsFunc(list, func(n netip.Prefix) bool { return n.Bits() == 0 })
}

// isOpen says whether a listener is bound to all addresses, or to a public one.
func isOpen(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := tcp.AddrPort().Addr().Unmap()
	return ip.IsUnspecified() || ip.IsGlobalUnicast() && !ip.IsPrivate()
}
