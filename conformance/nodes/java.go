package nodes

import (
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// javaNode starts a node of jinterface.
func (t *trial) javaNode(name string) *told {
	return t.told(name, "java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m",
		"-cp", "/usr/share/java/OtpErlang.jar", toldFolder+"/Told.java", name+"@"+host, cookie)
}

// javaGroup is nodes of OTP's library for Java.
func javaGroup() group {
	return group{lanes: [][]scenario{{
		{
			name: "nodes-java", images: []string{clients},
			rule: "a Java node is looked up as what it is, type 110; it lists and looks up, pings and is pinged; its close frees its name",
			why:  "programs in Java would not find Erlang nodes, or not be found",
			run: func(t *trial) {
				n, p := t.javaNode("java1"), t.node(peer())
				n.registered(t, wire.NodeTypeJava, 6)
				n.expect(t, fmt.Sprintf("name java1 at port %d,name peer at port %d", t.lookup("java1").Port, t.lookup("peer").Port), "names")
				n.expect(t, fmt.Sprint(t.lookup("peer").Port), "lookup %s", p.name())
				n.expect(t, "0", "lookup nobody@%s", host)
				n.expect(t, "pong", "ping %s", p.name())
				p.expect(t, "pong", "net_adm:ping('%s')", n.full())
				n.expect(t, "ok", "close")
				t.gone("java1")
				n.expect(t, "ok", "open")
				n.registered(t, wire.NodeTypeJava, 6)
				n.end(t)
				t.gone("java1")
				t.onlyListed("peer")
			},
		},
		{
			name: "nodes-java-restart", images: []string{clients},
			rule: fmt.Sprintf("a Java node that closes and starts at once is never refused, %d times; each life has the next creation", starts),
			why:  "a program in Java that restarts would fail to, or be taken for the one that ended",
			run: func(t *trial) {
				// A thread of the library's own sends STOP_REQ for the life that ends. With the
				// relaxed command check it may hit the next life, by anybody's EPMD: then that is
				// answered all the same, and not registered afterwards.
				n := t.javaNode("java2")
				n.expect(t, "ok", "restart %d", starts)
				n.end(t)
				t.gone("java2")
			},
		},
	}}}
}
