package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// there examines the way to the target.
func (w *walk) there() {
	if w.host == "" {
		w.host = w.hostname
		if w.nameErr != nil {
			w.host = "localhost"
		}
	}
	_, err := netip.ParseAddr(w.host)
	literal := err == nil || w.host == "localhost" // then no other name matters
	if !literal {
		go func() { _, _ = w.resolve(w.host) }() // it is asked for below; meanwhile others are
		if own := w.ownName(); w.host != w.hostname {
			w.ownEPMD(own)
		}
	}
	mine, other := w.hostStep()
	if len(mine) == 0 {
		return
	}
	if first := mine[0]; w.isOwn(first) && !literal && !w.isOwnName(w.host) && !w.isAlias() {
		w.lost = first
	}
	ats := w.epmdStep(mine, other)
	if len(ats) == 0 {
		return
	}
	w.node(w.name, ats, ats[0].Addr(), w.isOwn(ats[0].Addr()))
}

// isAlias says whether a node of this machine uses the target's host in its name.
func (w *walk) isAlias() bool {
	return slices.ContainsFunc(w.procs(), func(p Process) bool { return p.Node != "" && w.hostOf(p) == w.host })
}

// hostStep finds the addresses of the target's host.
func (w *walk) hostStep() (mine, other []netip.Addr) {
	w.step(StepHost, "addresses of "+w.host, func() (Status, string) {
		addrs, err := w.resolve(w.host)
		if err != nil {
			w.find(NameResolution, w.host, fmt.Sprintf("The name %s has no address: %v.", w.host, err),
				fmt.Sprintf("Write it as its nodes do, let the DNS know it, or name it in /etc/hosts here. (What stands behind the @ is asked for as it is: %s.)", shortOrLong(w.host)))
			return Broken, err.Error()
		}
		mine, other = w.byFamily(addrs)
		if len(mine) == 0 {
			w.oneFamily(w.host, addrs)
			return Broken, list(addrs)
		}
		return OK, fmt.Sprintf("%s (nodes use %s)", list(addrs), mine[0])
	})
	return mine, other
}

func shortOrLong(host string) string {
	if strings.Contains(host, ".") {
		return "a name with a dot belongs to nodes with -name"
	}
	return "a name without a dot belongs to nodes with -sname"
}

// epmdStep asks the EPMD at the addresses that a node would use, and gives those that
// answer if the first of them does: a node tries no other.
func (w *walk) epmdStep(mine, other []netip.Addr) (ats []netip.AddrPort) {
	what := fmt.Sprintf("EPMD of %s, port %d", w.host, w.rep.Port)
	w.step(StepEPMD, what, func() (Status, string) {
		own := w.isOwn(mine[0])
		all := w.askAll(mine, w.rep.Port)
		if all[0].state != answers {
			w.noEPMD(all, other, own)
			return Broken, list(all)
		}
		broken := false
		for _, a := range all {
			if a.state == answers {
				ats = append(ats, a.at)
				continue
			}
			broken = true
			w.unanswered(a, &all[0], w.isOwn(a.at.Addr()), fmt.Sprintf("to which %s leads, too", w.host))
		}
		if own {
			all = slices.Concat(all, w.askAll(loopbacks(mine), w.rep.Port))
			home := slices.IndexFunc(all, func(a answer) bool { return a.at.Addr() == w.home() })
			broken = !w.ownAnswers(all, all[home], nil) || w.twoEPMDs(all) || broken
		}
		seen := fmt.Sprintf("%s; %s", list(all), count(len(all[0].names.Nodes), "node"))
		if broken {
			return Broken, seen
		}
		return OK, seen
	})
	return ats
}

// noEPMD finds out why the first address does not answer.
func (w *walk) noEPMD(all []answer, other []netip.Addr, own bool) {
	first := all[0]
	if p := w.running(w.name, 0); own && p != nil && !p.registers() {
		w.runsUnknown(*p, first.at)
		return
	}
	if first.state != unreached {
		if !w.elsewhereHas(first.at.Addr(), own) {
			w.mute(first)
		}
		return
	}
	try := other
	if own {
		try = slices.Concat(other, w.reachable())
	}
	if first.reach == refused && w.elsewhereHas(first.at.Addr(), own) {
		return
	}
	for _, a := range slices.Concat(all[1:], w.askAll(try, w.rep.Port)) {
		switch {
		case a.state != answers:
		case !own && first.refused() && !w.d.mine(a.at.Addr()):
			w.unlikeFamily(w.host, a.at, "EPMD answers")
			return
		default:
			w.unanswered(first, &a, own, fmt.Sprintf("to which %s leads", w.host))
			return
		}
	}
	w.unanswered(first, nil, own, fmt.Sprintf("to which %s leads", w.host))
}

// elsewhereHas finds the target's name at another port of its host.
func (w *walk) elsewhereHas(addr netip.Addr, own bool) bool {
	if w.name == "" {
		return false
	}
	var ats []netip.AddrPort
	for _, port := range w.otherPorts(own) {
		ats = append(ats, netip.AddrPortFrom(addr, port))
	}
	known := w.has(ats, w.name)
	if len(known) == 0 {
		return false
	}
	at := known[0]
	seen := fmt.Sprintf("This side asks port %d%s, and %s is registered with the EPMD at %s.", w.rep.Port, w.portFrom(), w.name, at)
	if p := w.running(w.name, at.Port()); own && p != nil {
		seen += fmt.Sprintf(" It runs with ERL_EPMD_PORT=%s (process %d).", p.EPMDPort, p.PID)
	}
	w.find(PortMismatchEnv, at.String(), seen, w.onePort(at.Port()))
	return true
}

// portFrom says where this side's port of EPMD was set, if that is known.
func (w *walk) portFrom() string {
	if w.d.PortFrom == "" {
		return ""
	}
	return " (" + w.d.PortFrom + ")"
}

// onePort is what to do about two ports of EPMD.
func (w *walk) onePort(other uint16) string {
	return fmt.Sprintf("Set ERL_EPMD_PORT to the same number, %d or %d, for all nodes and their tools (rabbitmqctl, remote shells), or for none.", other, w.rep.Port)
}

// unknown finds out why the EPMD does not know the target's name.
func (w *walk) unknown(name string, at netip.AddrPort, own bool) {
	if own {
		for _, a := range w.askAll(w.reachable(), w.rep.Port) {
			if a.state == answers && a.at != at && len(w.has([]netip.AddrPort{a.at}, name)) > 0 {
				w.find(TwoEPMDs, fmt.Sprint(w.rep.Port),
					fmt.Sprintf("%s is registered with the EPMD at %s, and not with the one at %s, to which %s leads.", name, a.at, at, w.host),
					"Let one EPMD listen on all addresses, and end the other; then start the nodes of the one that ended anew.")
				return
			}
		}
	}
	if w.elsewhereHas(at.Addr(), own) {
		return
	}
	if p := w.running(name, 0); own && p != nil {
		w.runsUnknown(*p, at)
		return
	}
	registered := w.askAll([]netip.Addr{at.Addr()}, at.Port())[0].names.Nodes
	seen := fmt.Sprintf("The EPMD at %s does not know %s; it knows %s.", at, name, nodes(registered))
	for _, n := range registered {
		if n.Name != name && strings.EqualFold(n.Name, name) {
			seen += fmt.Sprintf(" Capital letters matter: %s is not %s.", n.Name, name)
		}
	}
	w.find(NameNotRegistered, name, seen,
		fmt.Sprintf("See that the node runs on %s, is called %s before the @ (-name or -sname), and uses the same ERL_EPMD_PORT, %d. A node before OTP 25 that was registered once is lost when EPMD ends: start it anew.", w.host, name, w.rep.Port))
}

// runsUnknown notes why the EPMD does not know a node that runs on this machine.
func (w *walk) runsUnknown(p Process, at netip.AddrPort) {
	switch {
	case p.NotListening:
		w.find(NotListening, p.short(),
			fmt.Sprintf("%s runs on this machine (process %d) with -dist_listen false: it connects to others, and takes no connections.", p.Node, p.PID),
			"Start it without -dist_listen false, or let it connect to the others.")
	case p.WithoutEPMD != "":
		w.find(WithoutEPMD, p.short(),
			fmt.Sprintf("%s runs on this machine (process %d) with %s: EPMD does not know it.", p.Node, p.PID, p.WithoutEPMD),
			"Start the node that does not find it in the same way, or this one without.")
	default:
		w.registrationLost(p, at)
	}
}
