package doctor

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/goepmd/goepmd/wire"
)

// Listener is a socket of this machine that takes connections, whoever's it is.
type Listener struct {
	At netip.AddrPort
	// Waiting is how many connections the system took that the program has not taken yet.
	Waiting int
}

// Neighbour is an address in a network of this machine that somebody asked for.
type Neighbour struct {
	Addr netip.Addr
	// Present says that a machine has the address. Else none has said so.
	Present bool
}

// machine finds out about this machine. What cannot be found out is left open: none of
// it is needed to walk.
func (w *walk) machine() {
	hostname, addrs, procs := w.d.Hostname, w.d.Addrs, w.d.Processes
	if hostname == nil {
		hostname = os.Hostname
	}
	if addrs == nil {
		addrs = ownAddrs
	}
	if procs == nil {
		procs = processes
	}
	w.hostname, w.nameErr = hostname()
	w.own, _ = addrs()
	w.look = sync.OnceValue(func() residents {
		all, err := procs()
		return residents{all, err}
	})
	go w.look() // meanwhile others are asked; who needs it waits for it
}

// residents are the processes of this machine.
type residents struct {
	all []Process
	err error
}

func (w *walk) procs() []Process { return w.look().all }

// ownAddrs are the addresses of this machine.
func ownAddrs() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	var out []netip.Addr
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				out = append(out, ip.Unmap())
			}
		}
	}
	return out, err
}

// isOwn says whether an address is of this machine.
func (w *walk) isOwn(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(w.own, a.WithZone(""))
}

// home is where nodes of this machine register.
func (w *walk) home() netip.Addr {
	if w.d.IPv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// loopbacks are the two, without those that are among others.
func loopbacks(but []netip.Addr) (out []netip.Addr) {
	for _, a := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		if !slices.Contains(but, a) {
			out = append(out, a)
		}
	}
	return out
}

// reachable are the addresses of this machine to try, the loopbacks first.
func (w *walk) reachable() []netip.Addr {
	const most = 32 // a host of containers has hundreds
	all := loopbacks(nil)
	for _, a := range w.own {
		if len(all) < most && !a.IsLinkLocalUnicast() && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// running is a node of a name among the processes of this machine, with this port of EPMD,
// or any if that is 0.
func (w *walk) running(name string, port uint16) *Process {
	all := w.procs()
	for i, p := range all {
		if p.isNode(name) && (port == 0 || p.portOf() == port) {
			return &all[i]
		}
	}
	return nil
}

// twoListeners finds two programs on this machine that listen at one port on different
// addresses. (One socket may belong to several, as with a supervisor that opened it.)
func (w *walk) twoListeners(port uint16) (a, b *Process) {
	at := func(p Process) (out []netip.AddrPort) {
		for _, l := range p.Listens {
			if l.Port() == port {
				out = append(out, l)
			}
		}
		return out
	}
	all := w.procs()
	for i := range all {
		for j := range i {
			one, other := at(all[j]), at(all[i])
			shared := slices.ContainsFunc(one, func(l netip.AddrPort) bool { return slices.Contains(other, l) })
			if len(one) > 0 && len(other) > 0 && !shared {
				return &all[j], &all[i]
			}
		}
	}
	return nil, nil
}

// otherPorts are where else an EPMD of a host may be, the likeliest first: where nodes of
// the target's name on this machine are told to look comes before what others give away.
func (w *walk) otherPorts(own bool) []uint16 {
	const most = 64
	var named, others []uint16
	var all []Process
	if own {
		all = w.procs()
	}
	for _, p := range all {
		switch {
		case p.isBeam() && p.isNode(w.name):
			named = append(named, p.portOf())
		case p.isBeam() || p.isEPMD():
			others = append(others, p.portOf())
		}
		for _, l := range p.Listens {
			if p.isEPMD() {
				others = append(others, l.Port())
			}
		}
	}
	var out []uint16
	for _, p := range slices.Concat(named, w.d.AlsoPorts, []uint16{wire.DefaultPort}, others) {
		if p != 0 && p != w.rep.Port && !slices.Contains(out, p) && len(out) < most {
			out = append(out, p)
		}
	}
	return out
}

// whoListens names the program that takes connections at an address of this machine, if
// this user may know.
func (w *walk) whoListens(at netip.AddrPort) string {
	if !w.isOwn(at.Addr()) {
		return ""
	}
	for _, p := range w.procs() {
		if p.listensAt(at.Port()) {
			return fmt.Sprintf(" It is %s (process %d).", p.Program, p.PID)
		}
	}
	return ""
}
