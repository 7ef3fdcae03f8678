package rights

import "net/netip"

// The networks that lists name, one of each kind of address.
const listed = "10.1.0.0/16,fd01::/16,fe80::1:0/112"

// kind is what a peer is to a daemon.
type kind int

const (
	local  kind = iota // on its machine
	friend             // elsewhere, in a listed network
	other              // elsewhere, in none
)

// peer is who connects, and where.
type peer struct {
	kind     kind
	from, to netip.Addr
}

var peers = []peer{
	at(local, "127.0.0.1", "127.0.0.1"),
	at(local, "127.9.9.9", "127.0.0.1"),
	at(local, "127.0.0.1", "10.3.0.1"),
	at(local, "10.3.0.1", "10.3.0.1"),
	at(friend, "10.1.0.2", "10.3.0.1"),
	at(friend, "10.1.0.2", "127.0.0.1"),
	at(other, "10.2.0.2", "10.3.0.1"),
	at(other, "10.2.0.2", "127.0.0.1"),
	at(other, "10.3.0.2", "10.3.0.1"),

	at(local, "::1", "::1"),
	at(local, "fd03::1", "fd03::1"),
	at(local, "fe80::3%lo", "fe80::3%lo"),
	at(friend, "fd01::2", "fd03::1"),
	at(friend, "fd01::2", "::1"),
	at(friend, "fe80::1:2%lo", "fe80::3%lo"),
	at(other, "fd02::2", "fd03::1"),
	at(other, "fd02::2", "::1"),
	at(other, "fe80::2:2%lo", "fe80::3%lo"),
}

func at(k kind, from, to string) peer {
	return peer{k, netip.MustParseAddr(from), netip.MustParseAddr(to)}
}

// String is from where to where.
func (p peer) String() string { return p.from.String() + " to " + p.to.String() }
