package doctor

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// node looks up a name at the first of the EPMDs' addresses, as a node would, and calls
// what is registered there at an address of the same machine.
func (w *walk) node(name string, ats []netip.AddrPort, addr netip.Addr, own bool) {
	n, found := w.lookupStep(name, ats, own)
	if found != OK {
		return
	}
	at := netip.AddrPortFrom(addr, n.Port)
	c, at := w.portStep(name, at, own)
	if c == nil {
		return
	}
	k := callOf(name, at, n)
	full, good := w.greet(k, c)
	if good && w.d.Cookie != "" {
		w.cookie(full, k)
	}
}

// lookupStep looks a name up.
func (w *walk) lookupStep(name string, ats []netip.AddrPort, own bool) (n wire.Node, found Status) {
	found = w.step(StepName, name+" is registered", func() (Status, string) {
		ctx, cancel := w.within()
		defer cancel()
		began := time.Now()
		var err error
		if n, err = w.lookup(ctx, ats[0], name); errors.Is(err, epmd.ErrNotFound) {
			w.unknown(name, ats[0], own)
			return Broken, fmt.Sprintf("not with the EPMD at %s", ats[0])
		}
		if err != nil {
			why := words(err, time.Since(began))
			w.find(EPMDCloses, ats[0].String(), fmt.Sprintf("The EPMD at %s lists its nodes, and does not answer for %s: %s.", ats[0], name, why),
				"Ask again; if it stays so, look at the EPMD's log.")
			return Broken, why
		}
		seen := fmt.Sprintf("port %d, a %s, versions %d to %d", n.Port, wire.NodeTypeName(n.Type), n.Lowest, n.Highest)
		if n.Highest < uint16(cnode.Version5) || n.Lowest > uint16(cnode.Version6) {
			w.find(VersionMismatch, name,
				fmt.Sprintf("%s speaks versions %d to %d of the distribution protocol; nodes since OTP 23 speak 5 and 6.", name, n.Lowest, n.Highest),
				"Bring both sides to releases of OTP that may be mixed: at most two major releases apart.")
			return Broken, seen
		}
		for _, at := range ats[1:] {
			if other, err := w.lookup(ctx, at, name); errors.Is(err, epmd.ErrNotFound) || err == nil && other.Port != n.Port {
				w.find(TwoEPMDs, fmt.Sprint(w.rep.Port),
					fmt.Sprintf("%s leads to several addresses with different EPMDs: the one at %s knows %s at port %d, the one at %s does not.", w.host, ats[0], name, n.Port, at),
					"Let the name lead to one machine, and one EPMD there listen on all its addresses.")
				return Broken, seen
			}
		}
		return OK, seen
	})
	return n, found
}

// isEPMDs says that a port is one of an EPMD, to whom nobody speaks as if it were a node:
// some EPMDs die of what they do not know.
func (w *walk) isEPMDs(at netip.AddrPort) bool {
	port := at.Port()
	return port == w.rep.Port || slices.ContainsFunc(w.elsewhere, func(a answer) bool { return a.at.Port() == port }) ||
		w.isOwn(at.Addr()) && slices.ContainsFunc(w.procs(), func(p Process) bool { return p.Program == "epmd" && p.listensAt(port) })
}

// portStep connects to the registered port. On this machine, where nobody in particular
// asks for the node, that may be by IPv6 as well, if it has nothing else.
func (w *walk) portStep(name string, at netip.AddrPort, own bool) (c net.Conn, called netip.AddrPort) {
	w.step(StepPort, fmt.Sprintf("port of %s, %s", name, at), func() (Status, string) {
		if w.isEPMDs(at) {
			w.notANode(name, at, "it is the port of an EPMD")
			return Broken, "it is the port of an EPMD"
		}
		var err error
		began := time.Now()
		if c, err = w.connect(at); err == nil {
			called = at
			return OK, "takes connections"
		}
		if six := netip.AddrPortFrom(netip.IPv6Loopback(), at.Port()); own && w.rep.Target == "" && at.Addr().Is4() && reachOf(err) == refused {
			if c, _ = w.connect(six); c != nil {
				called = six
				return OK, "takes connections, by IPv6 only"
			}
		}
		took := time.Since(began)
		w.portFault(name, at, own, err, took)
		return Broken, words(err, took)
	})
	return c, called
}

// portFault notes why no connection to a registered port came about.
func (w *walk) portFault(name string, at netip.AddrPort, own bool, err error, took time.Duration) {
	r := reachOf(err)
	f, l := w.faultOf(at, r, false)
	switch {
	case f == hangs:
		w.find(HandshakeSilent, at.String(), fmt.Sprintf("At %s the node takes no connection: %d wait for it.%s", at, l.Waiting, w.whoListens(at)),
			silentAdvice)
	case f == otherAddress && !w.d.mine(l.At.Addr()):
		w.unlikeFamily(w.host, l.At, name+" takes connections")
	case f == otherAddress:
		w.wrongAddress(name, at, l.At)
	case f == noListener && w.tookElsewhere(name, at, own):
	case f == noListener && own:
		w.find(StaleRegistration, at.String(), fmt.Sprintf("%s is registered at port %d, where nobody listens on this machine: the node is gone, and something keeps its connection to EPMD open.", name, at.Port()),
			"Find who holds the connection (ss -tnp, port of EPMD): a child of the dead node, a proxy, or a program that registered the name for itself. End it, and the name is free; epmd -stop NAME works where EPMD runs with -relaxed_command_check.")
	case f == noListener:
		w.find(PortRefused, at.String(), fmt.Sprintf("%s is registered at port %d, and %s refuses connections there.", name, at.Port(), at.Addr()),
			"The node is gone and its name is held by something else, or it listens on another address (-kernel inet_dist_use_interface), or a firewall refuses. Run this on its own machine, which tells which.")
	default:
		seen := fmt.Sprintf("%s is registered at port %d, and no connection to %s comes about: %s.", name, at.Port(), at, words(err, took))
		if l.At.IsValid() {
			seen += fmt.Sprintf(" It listens there (%s): a firewall of this machine is between.", l.At)
		}
		w.find(PortFiltered, at.String(), seen,
			"Open the nodes' ports in the firewall between the machines: which they are is set by -kernel inet_dist_listen_min FROM inet_dist_listen_max TO.")
	}
}

// tookElsewhere tries other addresses of the same machine, if the table of its sockets is
// not to be had.
func (w *walk) tookElsewhere(name string, at netip.AddrPort, own bool) bool {
	var try []netip.Addr
	if where, _ := w.placeOf(at, false); where != untold {
		return false
	} else if own {
		try = w.reachable()
	} else if found, err := w.resolve(w.host); err == nil {
		try = found
	}
	for _, a := range try {
		other := netip.AddrPortFrom(a, at.Port())
		if a == at.Addr() {
			continue
		}
		if _, err := w.connects(other); err != nil {
			continue
		}
		if !w.d.mine(a) {
			w.unlikeFamily(w.host, other, name+" takes connections")
		} else {
			w.wrongAddress(name, at, other)
		}
		return true
	}
	return false
}

func (w *walk) wrongAddress(name string, at, listens netip.AddrPort) {
	w.find(PortWrongAddress, at.String(), fmt.Sprintf("%s takes connections at %s, and not at %s, where other nodes look for it.", name, listens, at),
		"Start it without -kernel inet_dist_use_interface, or let that name the address to which the host's name leads.")
}

func (w *walk) connect(at netip.AddrPort) (net.Conn, error) {
	ctx, cancel := w.within()
	defer cancel()
	return w.d.dial(ctx, at)
}

// connects says whether a node's port takes connections, and how long that took.
func (w *walk) connects(at netip.AddrPort) (time.Duration, error) {
	began := time.Now()
	c, err := w.connect(at)
	if err == nil {
		_ = c.Close() // that there was one is all
	}
	return time.Since(began), err
}
