package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goepmd/goepmd/epmd"
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
		if own := w.ownName(); w.host != w.hostname {
			w.ownEPMD(own)
		}
	}
	mine, other := w.hostStep()
	if len(mine) == 0 {
		return
	}
	if first := mine[0]; first.IsLoopback() && !literal && w.host != w.hostname && !strings.HasPrefix(w.host, w.hostname+".") {
		w.lost = first
	}
	ats := w.epmdStep(mine, other)
	if len(ats) == 0 {
		return
	}
	w.node(w.name, ats, w.isOwn(ats[0].Addr()))
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
			w.find(WrongAddress, a.at.String(),
				fmt.Sprintf("%s has several addresses, and EPMD answers at %s, but not at %s: %v.", w.host, all[0].at, a.at, a.err),
				"Take the address out of the DNS or /etc/hosts, or let EPMD listen on it: a node uses the one that comes first, which may be either.")
		}
		if own {
			all = slices.Concat(all, w.askAll(w.loopbacks(mine), w.rep.Port))
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

// loopbacks are those that are not among addresses.
func (w *walk) loopbacks(but []netip.Addr) (out []netip.Addr) {
	for _, a := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		if !slices.Contains(but, a) {
			out = append(out, a)
		}
	}
	return out
}

// noEPMD finds out why the first address does not answer.
func (w *walk) noEPMD(all []answer, other []netip.Addr, own bool) {
	first := all[0]
	if w.elsewhere(first.at.Addr(), own) {
		return
	}
	if first.state != refused && first.state != filtered {
		w.unreachable(first.at.String(), first, own)
		return
	}
	try := other
	if own {
		try = slices.Concat(other, w.reachable())
	}
	for _, a := range slices.Concat(all[1:], w.askAll(try, w.rep.Port)) {
		switch {
		case a.state != answers:
		case !own && !w.d.mine(a.at.Addr()):
			w.unlikeFamily(a.at, "EPMD answers")
			return
		default:
			w.find(WrongAddress, first.at.String(),
				fmt.Sprintf("EPMD answers at %s, and not at %s, to which %s leads.", a.at, first.at, w.host), addressAdvice)
			return
		}
	}
	w.unreachable(first.at.String(), first, own)
}

// unlikeFamily notes that something is to be had by the other family.
func (w *walk) unlikeFamily(at netip.AddrPort, what string) {
	if w.d.IPv6 {
		w.find(IPv4Only, w.host, fmt.Sprintf("%s at %s, by IPv4, and not by IPv6, which this side uses.", what, at),
			"Start all nodes with -proto_dist inet6_tcp, or none.")
		return
	}
	w.find(IPv6Only, w.host, fmt.Sprintf("%s at %s, by IPv6, and not by IPv4, which this side uses.", what, at),
		"Start all nodes with -proto_dist inet6_tcp, or none; and let EPMD listen on IPv4, too.")
}

// unreachable notes that an EPMD does not answer, and in which way.
func (w *walk) unreachable(where string, a answer, own bool) {
	machine := w.host
	if own || machine == "" {
		machine = "this machine"
	}
	switch a.state {
	case refused:
		do := fmt.Sprintf("Start a node on %s (that starts EPMD), or EPMD itself: epmd -daemon. If one runs there, it listens on other addresses or at another port: look at -address, ERL_EPMD_ADDRESS and ERL_EPMD_PORT there.", machine)
		w.find(EPMDUnreachable, where, fmt.Sprintf("Nobody listens at %s: no EPMD runs on %s, or not there.", a.at, machine), do)
	case filtered:
		w.find(EPMDFiltered, where, fmt.Sprintf("No connection to %s comes about: %v.", a.at, a.err),
			fmt.Sprintf("See that %s runs and that no firewall or security group drops TCP port %d; the nodes' own ports (inet_dist_listen_min and _max) must be open as well.", machine, w.rep.Port))
	case silent:
		w.find(EPMDSilent, where, fmt.Sprintf("At %s connections are taken, and a question is not answered.", a.at),
			"If it is an EPMD, it hangs: OTP's does while one client does not read its answer. See who listens (ss -ltnp), and start it anew; nodes before OTP 25 must then be started anew, too.")
	case closes:
		w.find(EPMDCloses, where, fmt.Sprintf("At %s connections are closed unanswered: %v.", a.at, a.err),
			"The EPMD is full (OTP's holds about 1000 connections), or is told not to answer this machine, or is none. Look at its log and at how many connections it has.")
	case foreign:
		w.find(NotAnEPMD, where, fmt.Sprintf("What answers at %s is no EPMD: %v.", a.at, a.err),
			"See who listens there (ss -ltnp), and let EPMD have the port, or give another to all nodes by ERL_EPMD_PORT.")
	}
}

// elsewhere finds the target's name at another port of its host.
func (w *walk) elsewhere(addr netip.Addr, own bool) bool {
	if w.name == "" {
		return false
	}
	ports := w.otherPorts(own)
	has := make([]bool, len(ports))
	var group sync.WaitGroup // at once, since one that hangs must not hold the others up
	for i, port := range ports {
		group.Go(func() { has[i] = w.has(netip.AddrPortFrom(addr, port), w.name) })
	}
	group.Wait()
	for i, port := range ports {
		if !has[i] {
			continue
		}
		at := netip.AddrPortFrom(addr, port)
		from := ""
		if w.d.PortFrom != "" {
			from = " (" + w.d.PortFrom + ")"
		}
		seen := fmt.Sprintf("This side asks port %d%s, and %s is registered with the EPMD at %s.", w.rep.Port, from, w.name, at)
		if p := w.running(strconv.Itoa(int(port))); own && p != nil {
			seen += fmt.Sprintf(" It runs with ERL_EPMD_PORT=%s (process %d).", p.EPMDPort, p.PID)
		}
		w.find(PortMismatchEnv, at.String(), seen,
			fmt.Sprintf("Set ERL_EPMD_PORT to the same number, %d or %d, for all nodes and their tools (rabbitmqctl, remote shells), or for none.", port, w.rep.Port))
		return true
	}
	return false
}

// running is a node of the target's name among the processes of this machine, with this
// ERL_EPMD_PORT, or any if that is empty.
func (w *walk) running(port string) *Process {
	for i, p := range w.procs {
		if p.isNode(w.name) && (port == "" || p.EPMDPort == port) {
			return &w.procs[i]
		}
	}
	return nil
}

// unknown finds out why the EPMD does not know the target's name.
func (w *walk) unknown(at netip.AddrPort, own bool) {
	if own {
		for _, a := range w.askAll(w.reachable(), w.rep.Port) {
			if a.state == answers && a.at != at && w.has(a.at, w.name) {
				w.find(TwoEPMDs, fmt.Sprint(w.rep.Port),
					fmt.Sprintf("%s is registered with the EPMD at %s, and not with the one at %s, to which %s leads.", w.name, a.at, at, w.host),
					"Let one EPMD listen on all addresses, and end the other; then start the nodes of the one that ended anew.")
				return
			}
		}
	}
	if w.elsewhere(at.Addr(), own) {
		return
	}
	if p := w.running(""); own && p != nil {
		w.find(RegistrationLost, w.name,
			fmt.Sprintf("%s runs on this machine (process %d), and the EPMD at %s does not know it.", p.Node, p.PID, at),
			"Start the node anew if EPMD was started anew (nodes before OTP 25 do not register again by themselves); see that it is not started with -dist_listen false, and that nobody unregistered it by epmd -stop.")
		return
	}
	registered := w.asked[at].names.Nodes
	seen := fmt.Sprintf("The EPMD at %s does not know %s; it knows %s.", at, w.name, nodes(registered))
	for _, n := range registered {
		if n.Name != w.name && strings.EqualFold(n.Name, w.name) {
			seen += fmt.Sprintf(" Capital letters matter: %s is not %s.", n.Name, w.name)
		}
	}
	w.find(NameNotRegistered, w.name, seen,
		fmt.Sprintf("See that the node runs on %s, is called %s before the @ (-name or -sname), and uses the same ERL_EPMD_PORT, %d. A node before OTP 25 that was registered once is lost when EPMD ends: start it anew.", w.host, w.name, w.rep.Port))
}

// nodes writes the names of a list.
func nodes(all []epmd.NamePort) string {
	if len(all) == 0 {
		return "no node at all"
	}
	var names []string
	for _, n := range all {
		names = append(names, n.Name)
	}
	return list(names)
}
