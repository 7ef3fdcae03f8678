package session

import "net/netip"

// Peer is the two ends of a connection. A transport without addresses that
// stays on the machine, such as a Unix socket, gives a loopback address for both.
type Peer interface {
	// Remote is the address of whoever connected.
	Remote() netip.Addr
	// Local is this side's address of this very connection, not of its
	// listener. It is asked for only if the answer depends on it.
	Local() netip.Addr
}

// IsLocal says whether a peer is on this machine, the only kind that may
// register, dump, kill or stop unless a [Policy] says otherwise: its address is in
// 127.0.0.0/8, is ::1, or is the one that it connected to.
func IsLocal(p Peer) bool {
	remote := p.Remote().Unmap().WithZone("")
	if !remote.IsValid() {
		return false
	}
	return remote.IsLoopback() || remote == p.Local().Unmap().WithZone("")
}
