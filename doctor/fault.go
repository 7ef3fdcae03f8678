package doctor

import (
	"fmt"
	"net/netip"
)

// place is what the table of sockets says of a port of this machine at which no connection
// came about.
type place uint8

const (
	untold    place = iota // nothing: there is no table, or it is another machine's port
	nobody                 // nobody listens at that port
	elsewhere              // somebody listens, on other addresses
	bound                  // somebody listens there
	full                   // and takes no connections any more
)

// placeOf looks at the table. An IPv6 socket may serve IPv4 as well, which the table does
// not tell: bothFamilies says that it does.
func (w *walk) placeOf(at netip.AddrPort, bothFamilies bool) (place, Listener) {
	if !w.isOwn(at.Addr()) {
		return untold, Listener{}
	}
	get := w.d.Listeners
	if get == nil {
		get = listeners
	}
	all, err := get()
	if err != nil || len(all) == 0 {
		return untold, Listener{}
	}
	found, other := nobody, Listener{}
	for _, l := range all {
		if l.At.Port() != at.Port() {
			continue
		}
		a := l.At.Addr()
		covers := a == at.Addr() || a.IsUnspecified() && (a.Is4() == at.Addr().Is4() || a.Is6() && bothFamilies)
		switch {
		case covers && l.Waiting > 0:
			return full, l
		case covers:
			return bound, l
		}
		found, other = elsewhere, l
	}
	return found, other
}

// neighbour says what the system knows of an address in a network of this machine: gone,
// that no machine has it, or there, that one has.
func (w *walk) neighbour(a netip.Addr) (gone, there bool) {
	get := w.d.Neighbours
	if get == nil {
		get = neighbours
	}
	all, err := get()
	if err != nil {
		return false, false // it is but a hint
	}
	for _, n := range all {
		if n.Addr == a.WithZone("") {
			return !n.Present, n.Present
		}
	}
	return false, false
}

// fault is why no connection comes about.
type fault uint8

const (
	noListener   fault = iota // nobody listens on this machine, or a remote port is refused
	otherAddress              // on this machine somebody listens, at another address
	hangs                     // on this machine somebody listens, and takes no connection
	firewall                  // a firewall drops or refuses
	noMachine                 // no machine has the address
)

// faultOf finds out why a connection did not come about. The listener, if there is one, is
// who listens at that port of this machine.
func (w *walk) faultOf(at netip.AddrPort, r reach, bothFamilies bool) (fault, Listener) {
	where, l := w.placeOf(at, bothFamilies)
	gone, there := w.neighbour(at.Addr())
	switch {
	case where == full && r == unheard:
		return hangs, l
	case where == full, where == bound:
		return firewall, l
	case r == refused && where == elsewhere:
		return otherAddress, l
	case r == refused:
		return noListener, l
	case w.isOwn(at.Addr()) || r == forbidden: // a machine always answers itself
		return firewall, l
	case r == absent && !there, gone:
		return noMachine, l
	}
	return firewall, l
}

const (
	addressAdvice  = "Start EPMD without -address and ERL_EPMD_ADDRESS, so that it listens on all addresses, or name this one there; with systemd, look at ListenStream in its socket unit."
	firewallAdvice = "Look at the rules (nft list ruleset, iptables -S, ufw status), and let TCP port %d pass; the nodes' own ports (inet_dist_listen_min and _max) must pass as well."
	absentAdvice   = "See that the machine runs and is in the network, and whether it still has this address: if not, mend the DNS or /etc/hosts. If others reach it from here (ping, ssh), a firewall on the way says so."
)

// unanswered notes why an EPMD does not answer at an address, which others use as leads says.
// If other is not nil, the EPMD of that host answers at that address.
func (w *walk) unanswered(a answer, other *answer, own bool, leads string) {
	if a.state != unreached {
		w.mute(a)
		return
	}
	machine := w.host
	if own || machine == "" {
		machine = "this machine"
	}
	answersAt := ""
	if other != nil {
		answersAt = other.at.String()
	}
	f, l := w.faultOf(a.at, a.reach, other != nil && other.at.Addr().Is4())
	switch f {
	case hangs:
		w.find(EPMDSilent, a.at.String(),
			fmt.Sprintf("At %s the program that listens takes no connection: %d wait for it.%s", a.at, l.Waiting, w.whoListens(a.at)),
			hangsAdvice)
		return
	case otherAddress:
		answersAt = l.At.String()
	case firewall:
		seen := fmt.Sprintf("No connection to %s comes about: %s.", a.at, a.why())
		switch {
		case l.At.IsValid():
			seen += fmt.Sprintf(" EPMD listens there (%s): a firewall of this machine is between.", l.At)
		case answersAt != "":
			seen += fmt.Sprintf(" At %s EPMD answers.", answersAt)
		case !own:
			seen += " A firewall drops it, or nobody has the address any more."
		}
		w.find(EPMDFiltered, a.at.String(), seen, fmt.Sprintf(firewallAdvice, a.at.Port()))
		return
	case noMachine:
		seen := fmt.Sprintf("No machine answers at %s, %s: %s.", a.at.Addr(), leads, a.why())
		if answersAt != "" {
			seen += fmt.Sprintf(" At %s EPMD answers.", answersAt)
		}
		w.find(HostUnreachable, a.at.Addr().String(), seen, absentAdvice)
		return
	}
	switch {
	case answersAt == "":
		w.find(EPMDUnreachable, a.at.String(), fmt.Sprintf("Nobody listens at %s: no EPMD runs on %s, or not there.", a.at, machine),
			fmt.Sprintf("Start a node on %s (that starts EPMD), or EPMD itself: epmd -daemon. If one runs there, it listens on other addresses or at another port: look at -address, ERL_EPMD_ADDRESS and ERL_EPMD_PORT there.", machine))
	case own:
		w.find(WrongAddress, a.at.String(),
			fmt.Sprintf("The EPMD of this machine listens at %s, and not at %s, %s.", answersAt, a.at, leads), addressAdvice)
	default:
		w.find(WrongAddress, a.at.String(),
			fmt.Sprintf("EPMD answers at %s, and not at %s, %s.", answersAt, a.at, leads),
			"If that is an address of the same machine: "+addressAdvice+" If not, take it out of the DNS or /etc/hosts: a node uses the one that comes first, which may be either.")
	}
}

const hangsAdvice = "If it is an EPMD, it hangs or is stopped: OTP's hangs while one client does not read its answer. See who listens (ss -ltnp), and start it anew; nodes before OTP 25 must then be started anew, too."

// mute notes that what takes connections at EPMD's port does not answer as one.
func (w *walk) mute(a answer) {
	who := w.whoListens(a.at)
	switch a.state {
	case silent:
		w.find(EPMDSilent, a.at.String(), fmt.Sprintf("At %s connections are taken, and a question is not answered.%s", a.at, who), hangsAdvice)
	case closes:
		w.find(EPMDCloses, a.at.String(), fmt.Sprintf("At %s connections are closed unanswered.%s", a.at, who),
			"The EPMD is full (OTP's holds about 1000 connections), or is told not to answer this machine, or is none. Look at its log and at how many connections it has.")
	default:
		w.find(NotAnEPMD, a.at.String(), fmt.Sprintf("What answers at %s is no EPMD: %s.%s", a.at, a.why(), who),
			"See who listens there (ss -ltnp), and let EPMD have the port, or give another to all nodes by ERL_EPMD_PORT.")
	}
}
