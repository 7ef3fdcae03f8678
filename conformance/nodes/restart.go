package nodes

import (
	"fmt"
	"time"
)

const (
	// reregisters is the first version whose nodes register again when the daemon
	// comes back.
	reregisters = 25
	// comesBack is how long such a node may take: it tries every 2 seconds.
	comesBack = 15 * time.Second
	// staysAway is how long is looked at a node that does not, three times as long.
	staysAway = 6 * time.Second
)

// restartGroups are groups of one scenario each: it stops its daemon.
func restartGroups() []group {
	var all []group
	for _, s := range each("restart",
		"the daemon is killed and started again: connections live on; nodes since OTP 25 register again by themselves, and older ones must be restarted",
		"a node would stay unreachable, or an upgrade of the daemon would break a cluster",
		restart) {
		all = append(all, group{first: []scenario{s}})
	}
	return all
}

func restart(t *trial, otp int) {
	n := t.newNode(spec{otp: otp, name: "lasting"})
	peer := t.newNode(spec{otp: otp, name: "peer"})
	n.reach(t, peer, tcp)
	n.expect(t, "ok", "net_kernel:monitor_nodes(true)")
	before := t.ports()
	t.equal(2, len(before), "nodes that are listed")

	d := t.daemon()
	t.must(d.stop())
	t.step("kill the daemon", "")
	t.equal("pang", n.ping(t, "nobody@"+host), "ping to a node that nobody knows")
	n.stillWith(t, peer)
	t.must(d.run(t.ctx))
	t.step("start the daemon on the same port", "")

	if otp >= reregisters {
		t.until(comesBack, "both nodes are registered again, with their ports", func() string {
			if now := t.ports(); portList(now) != portList(before) {
				return "listed are " + portList(now)
			}
			return ""
		})
		newcomer := t.newNode(spec{otp: otp, name: "newcomer"})
		newcomer.reach(t, n, tcp)
		newcomer.reach(t, peer, tcp)
		n.stillWith(t, peer)
		return
	}
	for end := time.Now().Add(staysAway); time.Now().Before(end); {
		if now := t.ports(); len(now) > 0 {
			t.fail("OTP %d has never registered again, and now there are %s", otp, portList(now))
		}
		t.pause(staysAway / 6)
	}
	newcomer := t.newNode(spec{otp: otp, name: "newcomer"})
	t.equal("pang", newcomer.ping(t, n.name()), "ping to %s, which is not registered", n.name())
	n.stillWith(t, peer)
	n.kill(t)
	n = t.newNode(n.spec)
	newcomer.reach(t, n, tcp)
	peer.reach(t, n, tcp)
	t.note = fmt.Sprintf("a node of OTP %d does not register again, by OTP's own rule; its connections live on, and it is found again after its own restart", otp)
}

// stillWith makes sure that a connection has lived through everything.
func (n *node) stillWith(t *trial, peer *node) {
	n.expect(t, "none", "receive {nodedown, '%s'} -> lost after 0 -> none end", peer.name())
	n.expect(t, fmt.Sprint(peer.spec.otp), "list_to_integer(rpc:call('%s', erlang, system_info, [otp_release]))", peer.name())
}
