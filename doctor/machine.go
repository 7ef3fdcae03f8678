package doctor

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// Process is a program on this machine that listens, or an Erlang node.
type Process struct {
	PID int
	// Program is its file's name without folders: "epmd", "beam.smp".
	Program string
	// Node is what an Erlang node was told to be called, by -name or -sname.
	Node string
	// EPMDPort is its ERL_EPMD_PORT, as it was started; empty if that is not set, or not
	// for us to see.
	EPMDPort string
	// Listens is where it takes connections.
	Listens []netip.AddrPort
}

// isEPMD says whether a program is called as an EPMD is.
func (p Process) isEPMD() bool { return strings.Contains(p.Program, "epmd") }

// isNode says whether it is a node of the name before the @.
func (p Process) isNode(name string) bool {
	own, _, _ := strings.Cut(p.Node, "@")
	return own != "" && own == name
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
	w.procs, _ = procs()
}

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

// reachable are the addresses of this machine to try, the loopbacks first.
func (w *walk) reachable() []netip.Addr {
	const most = 32 // a host of containers has hundreds
	all := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	for _, a := range w.own {
		if len(all) < most && !a.IsLinkLocalUnicast() && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
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
	for i := range w.procs {
		for j := range i {
			one, other := at(w.procs[j]), at(w.procs[i])
			shared := slices.ContainsFunc(one, func(l netip.AddrPort) bool { return slices.Contains(other, l) })
			if len(one) > 0 && len(other) > 0 && !shared {
				return &w.procs[j], &w.procs[i]
			}
		}
	}
	return nil, nil
}

// otherPorts are where else an EPMD of a host may be, the likeliest first: where nodes of
// the target's name on this machine are told to look comes before what others give away.
func (w *walk) otherPorts(own bool) []uint16 {
	const most = 16
	var named, others []uint16
	for _, p := range w.procs {
		if !own {
			break
		}
		if n, err := strconv.ParseUint(p.EPMDPort, 10, 16); err == nil {
			if p.isNode(w.name) {
				named = append(named, uint16(n))
			} else {
				others = append(others, uint16(n))
			}
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

// nodeArgs finds the name in the command line of an Erlang node.
func nodeArgs(args []string) string {
	for i, a := range args[:max(len(args)-1, 0)] {
		if a == "-name" || a == "-sname" {
			return args[i+1]
		}
	}
	return ""
}

// isBeam says whether a program is Erlang's emulator.
func isBeam(program string) bool { return strings.HasPrefix(filepath.Base(program), "beam") }
