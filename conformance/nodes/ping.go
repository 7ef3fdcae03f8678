package nodes

import (
	"fmt"
	"strconv"
	"strings"
)

// carrier is what a connection runs over, as net_kernel tells it of a peer.
type carrier struct{ protocol, family string }

var tcp = carrier{"tcp", "inet"}

// strangers says whether two versions refuse each other, whatever an EPMD tells:
// OTP 26 and later demand of a peer what OTP 25 was the first to have.
func strangers(a, b int) bool { return min(a, b) < 25 && max(a, b) >= 26 }

// strangersNote is why.
const strangersNote = "they do not connect, by OTP's own rule: OTP 26 and later refuse a peer without " +
	"the distribution flags V4_NC and UNLINK_ID, which OTP 23 lacks. The lookup and the refusal are what was checked"

// pings is a scenario for each ordered pair of versions.
func pings(kind string, node func(otp int) spec, c carrier) []scenario {
	var all []scenario
	for _, a := range versions {
		for _, b := range versions {
			if a != b {
				all = append(all, pingPair(kind, node, c, a, b))
			}
		}
	}
	return all
}

func pingPair(kind string, node func(otp int) spec, c carrier, a, b int) scenario {
	s := scenario{
		name:   fmt.Sprintf("nodes-ping-%d-%d-%s", a, b, kind),
		rule:   fmt.Sprintf("OTP %d finds and pings OTP %d: %s", a, b, kind),
		why:    "a cluster of mixed versions, as during an upgrade, would fall apart",
		images: []string{strconv.Itoa(a), strconv.Itoa(b)},
		run:    func(t *trial) { t.node(node(a)).reach(t, t.node(node(b)), c) },
	}
	if strangers(a, b) {
		s.rule = fmt.Sprintf("OTP %d finds OTP %d, and the newer one refuses the older: %s", a, b, kind)
		s.why = "that they do not connect must not be for want of a port"
	}
	return s
}

// reach pings another node, to which there is no connection before, and so by what the
// daemon tells. The connection must be of the carrier.
func (n *node) reach(t *trial, other *node, c carrier) {
	n.take(t)
	other.take(t)
	if strangers(n.spec.otp, other.spec.otp) {
		n.refused(t, other)
		return
	}
	n.part(t, other)
	t.equal("pong", n.ping(t, other.name()), "ping from %s to %s", n.name(), other.name())
	for _, pair := range [][2]*node{{n, other}, {other, n}} {
		pair[0].connectedBy(t, pair[1].name(), c)
	}
}

// connectedBy makes sure that there is a connection of a carrier. The accepting side
// may hear of it a moment later.
func (n *node) connectedBy(t *trial, other string, c carrier) {
	want := fmt.Sprintf("{%s,%s}", c.protocol, c.family)
	t.until(patience, fmt.Sprintf("%s is connected to %s by %s", n.name(), other, want), func() string {
		got := n.eval(t, "case net_kernel:node_info('%s', address) of "+
			"{ok, A} -> {element(4, A), element(5, A)}; Other -> Other end", other)
		if got != want {
			return got
		}
		return ""
	})
}

// refused pings a node of a version that does not connect to this one's: it is found, and
// the newer of the two says why not.
func (n *node) refused(t *trial, other *node) {
	port := t.lookup(other.spec.name).Port
	at := "{127,0,0,1}"
	if contains(strings.Join(n.spec.args, " "), "inet6") {
		at = "{0,0,0,0,0,0,0,1}"
	}
	n.expect(t, fmt.Sprintf("{port,%d,6}", port), "erl_epmd:port_please(\"%s\", %s)", other.spec.name, at)
	newer := n
	if n.spec.otp < other.spec.otp {
		newer = other
	}
	const reason = `"V4_NC"`
	before := strings.Count(newer.printed(), reason)
	t.equal("pang", n.ping(t, other.name()), "ping from %s to %s", n.name(), other.name())
	t.until(patience, newer.name()+" says that the flag V4_NC is missing", func() string {
		if strings.Count(newer.printed(), reason) <= before {
			return "it does not say so"
		}
		return ""
	})
	t.note = strangersNote
}
