package nodes

import (
	"fmt"
	"regexp"
	"slices"
)

// nmapLine is what nmap's script epmd-info prints of a node, or of the daemon.
var nmapLine = regexp.MustCompile(`(?m)^\|[ _]+(\w+): (\d+)\s*$`)

// nmapGroup is nmap, which looks for EPMDs by a connection on which nothing is said, and asks
// those that it finds for their names.
func nmapGroup() group {
	return group{lanes: [][]scenario{{{
		name: "nodes-nmap", images: []string{clients},
		rule: "nmap finds the port open, and its script epmd-info lists the daemon's port and every node; the nodes stay",
		why:  "who looks over a network would not see the nodes, or do harm by looking",
		run: func(t *trial) {
			p := t.node(peer())
			want := []string{fmt.Sprint("epmd_port: ", t.daemon().port), fmt.Sprint("peer: ", t.lookup("peer").Port)}
			printed := t.runIn("nmap", "nmap", "-n", "-Pn", "-sT", "-p", fmt.Sprint(t.daemon().port), "--script", "+epmd-info", "127.0.0.1")
			var got []string
			for _, m := range nmapLine.FindAllStringSubmatch(printed, -1) {
				got = append(got, m[1]+": "+m[2])
			}
			slices.Sort(got)
			t.equal(want, got, "what nmap has found:\n%s\n", printed)
			t.onlyListed("peer")
			p.expect(t, "{ok,["+fmt.Sprintf("{%q,%d}", "peer", t.lookup("peer").Port)+"]}", "net_adm:names()")
		},
	}}}}
}
