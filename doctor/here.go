package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/epmd"
)

// here examines this machine and all nodes on it.
func (w *walk) here() {
	w.likeItsNodes()
	w.askElsewhere()
	names := w.ownHosts()
	if len(names) == 0 {
		names = []netip.Addr{w.home()} // the finding is made; go on
	}
	first := w.ownEPMD(names)
	w.nodesStep(first)
	if first == nil {
		return
	}
	const most = 1000 // each takes a socket
	all := first.names.Nodes
	if len(all) > most {
		w.unseen(fmt.Sprintf("%d nodes more than %d were not called.", len(all)-most, most))
		all = all[:most]
	}
	var ways []func(*walk)
	for _, n := range all {
		ways = append(ways, func(w *walk) { w.resident(n, first.at) })
	}
	w.beside(ways)
}

// likeItsNodes asks by IPv6 where all nodes that run do.
func (w *walk) likeItsNodes() {
	some := false
	for _, p := range w.procs() {
		if p.registers() && !p.Hidden {
			if !p.IPv6 {
				return
			}
			some = true
		}
	}
	if some {
		d := *w.d
		d.IPv6 = true
		w.d = &d
	}
}

// askElsewhere asks the EPMDs of this machine at other ports, as far as they are known.
func (w *walk) askElsewhere() {
	var ats []netip.AddrPort
	for _, port := range w.otherPorts(true) {
		ats = append(ats, netip.AddrPortFrom(w.home(), port))
	}
	for _, a := range w.askEach(ats, w.soon) {
		if a.state == answers && len(a.names.Nodes) > 0 {
			w.elsewhere = append(w.elsewhere, a)
		}
	}
}

// ownHosts looks at the names of this machine that its nodes use, its own for want of any,
// and gives their addresses, those of this machine that this side uses.
func (w *walk) ownHosts() (usable []netip.Addr) {
	own, others := false, []string(nil)
	for _, p := range w.procs() {
		if !p.registers() || p.Hidden {
			continue
		}
		_, host, _ := strings.Cut(p.Node, "@")
		switch {
		case host == "" || w.isOwnName(host):
			own = true
		case !slices.Contains(others, host):
			others = append(others, host)
		}
	}
	if own || len(others) == 0 {
		usable = w.ownName()
	}
	for _, host := range others {
		addrs, err := w.resolve(host)
		if err != nil {
			continue // each of its nodes is told that
		}
		mine, _ := w.byFamily(addrs)
		for _, a := range mine {
			if w.isOwn(a) && !slices.Contains(usable, a) {
				usable = append(usable, a)
			}
		}
	}
	return usable
}

// nodesStep compares the nodes that run on this machine with those that are registered.
// Where no EPMD answers that is found already.
func (w *walk) nodesStep(first *answer) {
	hidden := 0
	var run []string
	for _, p := range w.procs() {
		switch {
		case p.Hidden:
			hidden++
		case p.isBeam() && p.Node != "":
			run = append(run, fmt.Sprintf("%s (process %d)", p.Node, p.PID))
		}
	}
	switch {
	case hidden > 0:
		w.unseen(fmt.Sprintf("Of %s of other users only the command lines were seen, not their sockets and settings: root sees all.", count(hidden, "EPMD or node")))
	case w.look().err != nil:
		w.unseen(fmt.Sprintf("Which nodes run on this machine was not seen: %v.", w.look().err))
	}
	if len(run) == 0 && len(w.elsewhere) == 0 {
		return
	}
	w.step(StepNodes, "nodes that run on this machine", func() (Status, string) {
		before := len(w.rep.Findings)
		if first != nil {
			w.otherEPMDs()
			w.unregistered(*first)
		}
		seen := list(run)
		if len(run) == 0 {
			seen = "no process is to be seen"
		}
		if len(w.rep.Findings) > before {
			return Broken, seen
		}
		return OK, seen
	})
}

// otherEPMDs notes which nodes are registered with EPMDs of this machine at other ports.
func (w *walk) otherEPMDs() (found bool) {
	main := w.askAll([]netip.Addr{w.home()}, w.rep.Port)[0]
	for _, a := range w.elsewhere {
		if main.state == answers && sameNodes(main.names, a.names) {
			continue // one EPMD listens at both ports
		}
		found = true
		seen := fmt.Sprintf("%s %s registered with the EPMD at %s, and this side asks port %d%s: who asks there does not find them.",
			nodes(a.names.Nodes), isAre(len(a.names.Nodes)), a.at, w.rep.Port, w.portFrom())
		if p := w.told(a.at.Port()); p != nil {
			seen += fmt.Sprintf(" %s runs with ERL_EPMD_PORT=%s (process %d).", p.Node, p.EPMDPort, p.PID)
		}
		w.find(PortMismatchEnv, a.at.String(), seen, w.onePort(a.at.Port()))
	}
	return found
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// told is a node that was told this port of EPMD.
func (w *walk) told(port uint16) *Process {
	for i, p := range w.procs() {
		if p.isBeam() && p.Node != "" && p.portOf() == port {
			return &w.procs()[i]
		}
	}
	return nil
}

// unregistered notes which nodes run and are registered nowhere.
func (w *walk) unregistered(first answer) {
	for _, p := range w.procs() {
		if !p.registers() || p.Hidden || p.listed(first.names.Nodes) {
			continue
		}
		home := netip.AddrPortFrom(w.home(), w.rep.Port)
		if p.IPv6 && !w.d.IPv6 {
			home = netip.AddrPortFrom(netip.IPv6Loopback(), w.rep.Port)
		}
		if a := w.askEach([]netip.AddrPort{home}, w.within)[0]; p.listed(a.names.Nodes) {
			continue
		}
		if !slices.ContainsFunc(w.elsewhere, func(a answer) bool { return p.listed(a.names.Nodes) }) {
			w.registrationLost(p, first.at)
		}
	}
}

// listed says whether a node is in a list by its name, and by a port of its own if its
// ports are to be seen.
func (p Process) listed(all []epmd.NamePort) bool {
	return slices.ContainsFunc(all, func(n epmd.NamePort) bool {
		return p.isNode(n.Name) && (len(p.Listens) == 0 || p.listensAt(n.Port))
	})
}

func (w *walk) registrationLost(p Process, at netip.AddrPort) {
	port := ""
	if told := p.portOf(); told != 0 && told != at.Port() {
		port = fmt.Sprintf(" It was told ERL_EPMD_PORT=%d, where nobody knows it either.", told)
	}
	w.find(RegistrationLost, p.short(),
		fmt.Sprintf("%s runs on this machine (process %d), and the EPMD at %s does not know it.%s", p.Node, p.PID, at, port),
		"If it starts just now, ask again in a moment. If EPMD was started anew, start the node anew: nodes before OTP 25 do not register again by themselves. See that nobody unregistered it by epmd -stop.")
}

// resident looks at a node that is registered on this machine.
func (w *walk) resident(n epmd.NamePort, at netip.AddrPort) {
	p := w.processOf(n)
	addr, other := at.Addr(), w.d.IPv6
	if p != nil {
		other = p.IPv6
		if host := w.hostOf(*p); host != "" {
			if addrs, err := w.resolve(host); err == nil && len(addrs) > 0 {
				addr = addrs[max(0, slices.IndexFunc(addrs, func(a netip.Addr) bool { return a.Is6() == p.IPv6 }))]
			}
		}
	}
	if !w.isOwn(addr) || addr.Is6() != other {
		addr = loopbacks(nil)[0]
		if other {
			addr = netip.IPv6Loopback()
		}
	}
	w.node(n.Name, []netip.AddrPort{at}, addr, true)
}

// processOf is the process of a registered node: the one that listens at its port.
func (w *walk) processOf(n epmd.NamePort) *Process {
	for i, p := range w.procs() {
		if p.isBeam() && p.listensAt(n.Port) {
			return &w.procs()[i]
		}
	}
	return w.running(n.Name, 0)
}

// hostOf is the host in the name of a node of this machine.
func (w *walk) hostOf(p Process) string {
	_, host, ok := strings.Cut(p.Node, "@")
	if !ok {
		return w.hostname
	}
	return host
}

// ownHost looks where the host in the name of a node of this machine leads, after the node
// was called at an address.
func (w *walk) ownHost(full string, at netip.AddrPort) (Status, string) {
	seen := "it is " + full
	name, host, _ := strings.Cut(full, "@")
	addrs, err := w.resolve(host)
	switch {
	case w.isOwnName(host) && err != nil:
		return OK, seen // that the machine's name has no address is found already
	case err != nil:
		w.find(NameResolution, host, fmt.Sprintf("The node %s runs here, and the name %s has no address: %v.", full, host, err),
			fmt.Sprintf("Let %s lead to this machine, in the DNS or in /etc/hosts here and on all machines of the cluster, or start the node with a name that does.", host))
		return Broken, fmt.Sprintf("%s; %s: %v", seen, host, err)
	}
	i := slices.IndexFunc(addrs, func(a netip.Addr) bool { return a.Is6() == at.Addr().Is6() })
	if i < 0 || addrs[i] == at.Addr() {
		return OK, seen
	}
	lead := netip.AddrPortFrom(addrs[i], at.Port())
	switch {
	case w.isOwn(lead.Addr()):
		if took, err := w.connects(lead); err != nil {
			w.portFault(name, lead, true, err, took)
			return Broken, fmt.Sprintf("%s; %s leads to %s", seen, host, lead.Addr())
		}
		return OK, seen
	case len(w.own) == 0 || w.isOwnName(host):
		return OK, seen // there is nothing to compare with, or it is found already
	}
	// It may be this machine all the same, behind a gateway that changes addresses.
	ctx, cancel := w.within()
	defer cancel()
	if n, err := w.lookup(ctx, netip.AddrPortFrom(lead.Addr(), w.rep.Port), name); err == nil && n.Port == at.Port() {
		return OK, seen
	}
	w.find(OwnNameElsewhere, host,
		fmt.Sprintf("The node %s runs here, and the name %s leads to %s, which is no address of this machine.", full, host, lead.Addr()),
		fmt.Sprintf("Let %s lead to an address of this machine (%s), or start the node with a name that does: other nodes look for it there.", host, list(w.own)))
	return Broken, fmt.Sprintf("%s; %s leads to %s", seen, host, lead.Addr())
}
