package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// isOwnName says whether a host is this machine by its name, long or short.
func (w *walk) isOwnName(host string) bool {
	return host == w.hostname || strings.HasPrefix(host, w.hostname+".") || strings.HasPrefix(w.hostname, host+".")
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

// ownEPMD looks at the EPMD of this machine, where nodes register and where their hosts'
// names lead. It gives the answer that nodes elsewhere would get, or nil.
func (w *walk) ownEPMD(names []netip.Addr) (first *answer) {
	w.step(StepOwnEPMD, fmt.Sprintf("EPMD of this machine, port %d", w.rep.Port), func() (Status, string) {
		addrs := slices.Clone(loopbacks(nil))
		for _, a := range names {
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
		all := w.askAll(addrs, w.rep.Port)
		home := all[slices.Index(addrs, w.home())]
		for _, n := range append(slices.Clone(names), w.home()) {
			if a := all[slices.Index(addrs, n)]; a.state == answers {
				first = &a
				break
			}
		}
		if first == nil && w.rep.Target == "" {
			return w.noOwnEPMD(all, home)
		}
		if !w.ownAnswers(all, home, names) || w.twoEPMDs(all) {
			return Broken, list(all)
		}
		if first == nil {
			return Skipped, "none runs: erl starts one with the first node"
		}
		return OK, fmt.Sprintf("%s; %s", list(all), count(len(first.names.Nodes), "node"))
	})
	return first
}

// noOwnEPMD finds out why no EPMD answers where nodes register, nor elsewhere on this
// machine.
func (w *walk) noOwnEPMD(all []answer, home answer) (Status, string) {
	if w.otherEPMDs() {
		return Broken, list(all)
	}
	var without []string
	for _, p := range w.procs() {
		switch {
		case p.registers():
			w.unanswered(home, nil, true, "where nodes register")
			return Broken, list(all)
		case p.isBeam() && p.Node != "" && !p.Hidden:
			without = append(without, p.Node)
		}
	}
	if len(without) > 0 && home.refused() {
		return Skipped, fmt.Sprintf("%s: none runs, and none of the nodes here needs one (%s)", list(all), list(without))
	}
	w.unanswered(home, nil, true, "where nodes register")
	return Broken, list(all)
}

// ownAnswers notes which own addresses do not answer and must, if any does.
func (w *walk) ownAnswers(all []answer, home answer, names []netip.Addr) bool {
	var some *answer
	for i, a := range all {
		switch a.state {
		case answers:
			if some == nil {
				some = &all[i]
			}
		case silent, closes, foreign:
			w.mute(a)
			return false
		}
	}
	if some == nil {
		return true
	}
	if home.state != answers {
		w.unanswered(home, some, true, "where nodes register")
		return false
	}
	for _, a := range all {
		if a.state != answers && slices.Contains(names, a.at.Addr()) {
			w.unanswered(a, some, true, "where other nodes look for it")
			return false
		}
	}
	return true
}

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
