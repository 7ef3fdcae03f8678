package doctor

import (
	"fmt"
	"net/netip"
	"slices"
)

// here examines this machine and all nodes on it.
func (w *walk) here() {
	mine := w.ownName()
	if len(mine) == 0 {
		mine = []netip.Addr{w.home()} // the finding is made; go on
	}
	first := w.ownEPMD(mine)
	if first == nil {
		return
	}
	const most = 100 // a look at each may take long
	for i, n := range first.names.Nodes {
		if i == most || w.ctx.Err() != nil {
			return
		}
		w.node(n.Name, []netip.AddrPort{first.at}, true)
	}
}

// home is where nodes of this machine register.
func (w *walk) home() netip.Addr {
	if w.d.IPv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// ownName looks at the name of this machine, and gives those of its addresses that this
// side uses and that are this machine's.
func (w *walk) ownName() (usable []netip.Addr) {
	w.step(StepOwnName, "name of this machine", func() (Status, string) {
		if w.nameErr != nil {
			w.find(OwnNameResolution, "", fmt.Sprintf("This machine does not tell its name: %v.", w.nameErr),
				"Give it one: hostnamectl set-hostname NAME, or the hostname of the container.")
			return Broken, w.nameErr.Error()
		}
		addrs, err := w.resolve(w.hostname)
		if err != nil {
			w.find(OwnNameResolution, w.hostname,
				fmt.Sprintf("This machine is called %s, and that name has no address: %v.", w.hostname, err),
				fmt.Sprintf("Let %s lead to this machine: in the DNS, or by a line in /etc/hosts here and on all machines of the cluster.", w.hostname))
			return Broken, fmt.Sprintf("%s: %v", w.hostname, err)
		}
		seen := fmt.Sprintf("%s is %s", w.hostname, list(addrs))
		mine, _ := w.byFamily(addrs)
		if len(mine) == 0 {
			w.oneFamily(w.hostname, addrs)
			return Broken, seen
		}
		for _, a := range mine {
			if w.isOwn(a) {
				usable = append(usable, a)
			}
		}
		// Who cannot be told of its own addresses can say nothing of others.
		if !w.isOwn(mine[0]) && len(w.own) > 0 {
			w.find(OwnNameElsewhere, w.hostname,
				fmt.Sprintf("This machine is called %s, and that name leads to %s, which is no address of this machine.", w.hostname, mine[0]),
				fmt.Sprintf("Let %s lead to an address of this machine (%s): other nodes look for its nodes there.", w.hostname, list(w.own)))
			return Broken, seen
		}
		return OK, seen
	})
	return usable
}

// oneFamily notes that a host has no address of this side's family.
func (w *walk) oneFamily(where string, addrs []netip.Addr) {
	if w.d.IPv6 {
		w.find(IPv4Only, where,
			fmt.Sprintf("%s is %s: there is no IPv6 address, and nodes with -proto_dist inet6_tcp use nothing else.", where, list(addrs)),
			"Give it an IPv6 address, or start all nodes of the cluster without -proto_dist inet6_tcp.")
		return
	}
	w.find(IPv6Only, where,
		fmt.Sprintf("%s is %s: there is no IPv4 address, and nodes use nothing else unless they are told to.", where, list(addrs)),
		"Give it an IPv4 address, or start all nodes of the cluster with -proto_dist inet6_tcp.")
}

// ownEPMD looks at the EPMD of this machine, where nodes register and where the machine's
// name leads. It gives the answer that nodes elsewhere would get, or nil.
func (w *walk) ownEPMD(names []netip.Addr) (first *answer) {
	w.step(StepOwnEPMD, fmt.Sprintf("EPMD of this machine, port %d", w.rep.Port), func() (Status, string) {
		addrs := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
		for _, a := range names {
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
		all := w.askAll(addrs, w.rep.Port)
		home := all[slices.Index(addrs, w.home())]
		for _, n := range names {
			if a := all[slices.Index(addrs, n)]; a.state == answers {
				first = &a
				break
			}
		}
		if first == nil && home.state == answers {
			first = &home
		}
		if !w.ownAnswers(all, home, names) || w.twoEPMDs(all) {
			return Broken, list(all)
		}
		if first == nil {
			if w.rep.Target != "" {
				return Skipped, "none runs: erl starts one with the first node"
			}
			w.unreachable(fmt.Sprintf("this machine, port %d", w.rep.Port), home, true)
			return Broken, list(all)
		}
		return OK, fmt.Sprintf("%s; %s", list(all), count(len(first.names.Nodes), "node"))
	})
	return first
}

// ownAnswers notes which own addresses do not answer and must, if any does.
func (w *walk) ownAnswers(all []answer, home answer, names []netip.Addr) bool {
	var some *answer
	for i, a := range all {
		switch a.state {
		case answers:
			some = &all[i]
		case silent, closes, foreign:
			w.unreachable(a.at.String(), a, true)
			return false
		}
	}
	if some == nil {
		return true
	}
	if home.state == refused {
		w.find(WrongAddress, home.at.String(),
			fmt.Sprintf("The EPMD of this machine answers at %s, and not at %s, where nodes register.", some.at, home.at),
			addressAdvice)
		return false
	}
	for _, a := range all {
		if a.state == refused && slices.Contains(names, a.at.Addr()) {
			w.find(WrongAddress, a.at.String(),
				fmt.Sprintf("The EPMD of this machine answers at %s, and not at %s, where its name %s leads other nodes.", some.at, a.at, w.hostname),
				addressAdvice)
			return false
		}
	}
	return true
}

const addressAdvice = "Start EPMD without -address and ERL_EPMD_ADDRESS, so that it listens on all addresses, or name this one there; with systemd, look at ListenStream in its socket unit."

// twoEPMDs finds out whether answers of one machine come from several EPMDs.
func (w *walk) twoEPMDs(all []answer) bool {
	const advice = "Let one EPMD listen on all addresses, and end the other: look at who starts them (systemd's epmd.socket, erl itself, a container that publishes the port). Then start the nodes of the one that ended anew."
	if a, b := w.twoListeners(w.rep.Port); a != nil {
		w.find(TwoEPMDs, fmt.Sprint(w.rep.Port),
			fmt.Sprintf("Two programs listen at port %d of this machine, on different addresses: %s (process %d) and %s (process %d).", w.rep.Port, a.Program, a.PID, b.Program, b.PID),
			advice)
		return true
	}
	var first *answer
	for i, a := range all {
		switch {
		case a.state != answers:
		case first == nil:
			first = &all[i]
		case !sameNodes(first.names, a.names) && w.differ(first.at, a.at):
			w.find(TwoEPMDs, fmt.Sprint(w.rep.Port),
				fmt.Sprintf("At %s and at %s there are different EPMDs: the one knows %s, the other %s.", first.at, a.at, nodes(first.names.Nodes), nodes(a.names.Nodes)),
				advice)
			return true
		}
	}
	return false
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
