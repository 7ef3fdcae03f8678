package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// node looks up a name at the first of the EPMDs' addresses, as a node would, and goes on
// to what is registered there.
func (w *walk) node(name string, ats []netip.AddrPort, own bool) {
	var n wire.Node
	found := w.step(StepName, name+" is registered", func() (Status, string) {
		var err error
		if n, err = w.lookup(ats[0], name); err != nil {
			if errors.Is(err, epmd.ErrNotFound) {
				w.unknown(ats[0], own)
				return Broken, fmt.Sprintf("not with the EPMD at %s", ats[0])
			}
			w.find(EPMDCloses, ats[0].String(), fmt.Sprintf("The EPMD at %s lists its nodes, and does not answer for %s: %v.", ats[0], name, err),
				"Ask again; if it stays so, look at the EPMD's log.")
			return Broken, err.Error()
		}
		seen := fmt.Sprintf("port %d, a %s, versions %d to %d", n.Port, wire.NodeTypeName(n.Type), n.Lowest, n.Highest)
		if n.Highest < uint16(cnode.Version5) || n.Lowest > uint16(cnode.Version6) {
			w.find(VersionMismatch, name,
				fmt.Sprintf("%s speaks versions %d to %d of the distribution protocol; nodes since OTP 23 speak 5 and 6.", name, n.Lowest, n.Highest),
				"Bring both sides to releases of OTP that may be mixed: at most two major releases apart.")
			return Broken, seen
		}
		for _, at := range ats[1:] {
			if other, err := w.lookup(at, name); errors.Is(err, epmd.ErrNotFound) || err == nil && other.Port != n.Port {
				w.find(TwoEPMDs, fmt.Sprint(w.rep.Port),
					fmt.Sprintf("%s leads to several addresses with different EPMDs: the one at %s knows %s at port %d, the one at %s does not.", w.host, ats[0], name, n.Port, at),
					"Let the name lead to one machine, and one EPMD there listen on all its addresses.")
				return Broken, seen
			}
		}
		return OK, seen
	})
	if found != OK {
		return
	}
	at := netip.AddrPortFrom(ats[0].Addr(), n.Port)
	if w.isEPMD(n.Port) {
		w.find(NotADistributionPort, at.String(), fmt.Sprintf("%s is registered at port %d, which is that of an EPMD.", name, n.Port),
			fmt.Sprintf("No node listens there: end what registered %s, and start the node.", name))
		return
	}
	if w.port(name, at, own) != OK {
		return
	}
	v := cnode.Version6
	if n.Highest < uint16(v) {
		v = cnode.Version5
	}
	if w.greet(name, at, v) && w.d.Cookie != "" && w.host != "" {
		w.cookie(at, v)
	}
}

// isEPMD says that an EPMD answered at a port. It is not spoken to as if it were a node:
// some EPMDs die of what they do not know.
func (w *walk) isEPMD(port uint16) bool {
	for at, a := range w.asked {
		if at.Port() == port && a.state == answers {
			return true
		}
	}
	return false
}

func (w *walk) lookup(at netip.AddrPort, name string) (wire.Node, error) {
	var dialed atomic.Bool
	return w.client(at, &dialed).Lookup(w.ctx, name)
}

// port connects to the registered port.
func (w *walk) port(name string, at netip.AddrPort, own bool) Status {
	return w.step(StepPort, fmt.Sprintf("port of %s, %s", name, at), func() (Status, string) {
		err := w.connects(at)
		switch {
		case err == nil:
			return OK, "takes connections"
		case !isRefused(err):
			w.find(PortFiltered, at.String(), fmt.Sprintf("%s is registered at port %d, and no connection to %s comes about: %v.", name, at.Port(), at, err),
				"Open the nodes' ports in the firewall between the machines: which they are is set by -kernel inet_dist_listen_min FROM inet_dist_listen_max TO.")
			return Broken, err.Error()
		}
		w.portRefused(name, at, own)
		return Broken, "refuses connections"
	})
}

// portRefused finds out why the registered port is refused.
func (w *walk) portRefused(name string, at netip.AddrPort, own bool) {
	var try []netip.Addr
	if own {
		try = w.reachable()
	} else if found, err := w.resolve(w.host); err == nil {
		try = found
	}
	for _, a := range try {
		other := netip.AddrPortFrom(a, at.Port())
		if a == at.Addr() || w.connects(other) != nil {
			continue
		}
		if !w.d.mine(a) {
			w.unlikeFamily(other, name+" takes connections")
			return
		}
		w.find(PortWrongAddress, at.String(), fmt.Sprintf("%s takes connections at %s, and not at %s, where other nodes look for it.", name, other, at),
			interfaceAdvice)
		return
	}
	if l := w.listener(at.Port()); own && l.IsValid() {
		w.find(PortWrongAddress, at.String(), fmt.Sprintf("%s takes connections at %s, and not at %s, where other nodes look for it.", name, l, at), interfaceAdvice)
		return
	}
	if own {
		w.find(StaleRegistration, at.String(), fmt.Sprintf("%s is registered at port %d, where nobody listens on this machine: the node is gone, and something keeps its connection to EPMD open.", name, at.Port()),
			"Find who holds the connection (ss -tnp, port of EPMD): a child of the dead node, a proxy, or a program that registered the name for itself. End it, and the name is free; epmd -stop NAME works where EPMD runs with -relaxed_command_check.")
		return
	}
	w.find(PortRefused, at.String(), fmt.Sprintf("%s is registered at port %d, and %s refuses connections there.", name, at.Port(), at.Addr()),
		"The node is gone and its name is held by something else, or it listens on another address (-kernel inet_dist_use_interface), or a firewall refuses. Run this on its own machine, which tells which.")
}

const interfaceAdvice = "Start it without -kernel inet_dist_use_interface, or let that name the address to which the host's name leads."

// listener finds where on this machine somebody listens at a port, if this user may know.
func (w *walk) listener(port uint16) netip.AddrPort {
	for _, p := range w.procs {
		for _, l := range p.Listens {
			if l.Port() == port {
				return l
			}
		}
	}
	return netip.AddrPort{}
}

func (w *walk) connects(at netip.AddrPort) error {
	ctx, cancel := w.d.within(w.ctx)
	defer cancel()
	c, err := w.d.dial(ctx, at)
	if err != nil {
		return err
	}
	_ = c.Close() // that there was one is all
	return nil
}
