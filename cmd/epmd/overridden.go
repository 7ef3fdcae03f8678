package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// warnOverridden warns of each setting that sockets of systemd, by the names of their units,
// override: on which addresses and on which port the daemon listens is theirs to say.
func warnOverridden(log *slog.Logger, o options, passed []net.Addr, units []string) {
	edit := howToEdit(units)
	if o.addressBy != "" && !sameAddresses(o.addresses, passed) {
		log.Warn(o.addressBy+" says nothing under -systemd: the sockets that systemd passes stay as they are; "+
			"to listen elsewhere set ListenStream= "+edit, "addresses", joined(passed))
	}
	if o.portBy != "" && !slices.ContainsFunc(passed, func(a net.Addr) bool { return tcpPort(a) == o.port }) {
		log.Warn(fmt.Sprintf("%s says nothing under -systemd: the port is %d, which nodes must be given too; "+
			"for port %d set ListenStream= %s", o.portBy, portOf(passed), o.port, edit), "addresses", joined(passed))
	}
}

// howToEdit is how to change the unit of the sockets, of which systemd tells the name unless
// the unit gives them another.
func howToEdit(units []string) string {
	unit := "UNIT.socket"
	for _, u := range units {
		if strings.HasSuffix(u, ".socket") {
			unit = u
		}
	}
	return fmt.Sprintf("(once empty, once as it shall be) by: systemctl edit %s", unit)
}

// sameAddresses says whether sockets listen where a list says, which is on loopback too; an
// empty list is all addresses.
func sameAddresses(list string, passed []net.Addr) bool {
	wanted := make(map[netip.Addr]bool)
	for _, a := range strings.FieldsFunc(list, isSeparator) {
		if addr, err := netip.ParseAddr(a); err == nil { // newServer has said what is none
			wanted[family(addr)] = true
		}
	}
	if len(wanted) == 0 {
		wanted[all] = true
	}
	listens := make(map[netip.Addr]bool)
	for _, a := range passed {
		if tcp, ok := a.(*net.TCPAddr); ok {
			listens[family(tcp.AddrPort().Addr())] = true
		}
	}
	covered := func(a netip.Addr, by map[netip.Addr]bool) bool {
		return a == netip.IPv6Loopback() || a == ipv4Loopback || by[a]
	}
	for a := range listens {
		if !covered(a, wanted) {
			return false
		}
	}
	for a := range wanted {
		if !covered(a, listens) && !listens[all] {
			return false
		}
	}
	return true
}

var (
	all          = netip.IPv6Unspecified()
	ipv4Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
)

// family makes all addresses of one family those of both.
func family(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.IsUnspecified() {
		return all
	}
	return a
}

// portOf is the port that a server tells that serves sockets: that of the first one that has
// one.
func portOf(sockets []net.Addr) uint16 {
	for _, a := range sockets {
		if port := tcpPort(a); port != 0 {
			return port
		}
	}
	return wire.DefaultPort
}

// tcpPort is an address's port, or 0.
func tcpPort(a net.Addr) uint16 {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return uint16(tcp.Port)
	}
	return 0
}

func addresses(lns []net.Listener) []net.Addr {
	addrs := make([]net.Addr, len(lns))
	for i, ln := range lns {
		addrs[i] = ln.Addr()
	}
	return addrs
}

func joined(addrs []net.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, ",")
}
