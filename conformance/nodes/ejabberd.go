package nodes

import (
	"context"
	"fmt"
)

// ejabberdFiles are the settings of a server that serves nobody: what it has to do with EPMD
// is the same.
func ejabberdFiles(name string) map[string][]byte {
	at := home(name)[1:]
	return map[string][]byte{
		at + "/.erlang.cookie":         []byte(cookie),
		at + "/config/ejabberd.yml":    []byte("hosts:\n  - localhost\nlisten: []\nmodules: {}\n"),
		at + "/config/inetrc":          nil,
		at + "/config/ejabberdctl.cfg": []byte("EXEC_CMD=as_current_user\n"),
	}
}

// ejabberdctl is ejabberd's program with arguments, for one server.
func ejabberdctl(name string, args ...string) []string {
	at := home(name)
	return append([]string{
		"ejabberdctl", "--config-dir", at + "/config", "--logs", at + "/logs", "--spool", at + "/spool", "--node", name + "@" + host,
	}, args...)
}

// ejabberdGroup is ejabberd.
func ejabberdGroup() group {
	const name = "ejabberd1"
	return group{lanes: [][]scenario{{{
		name: "nodes-ejabberd", images: []string{clients},
		rule: "ejabberdctl starts ejabberd, finds and pings it, and stops it; it is listed while it runs, and nobody afterwards",
		why:  "it would not start, or its own program not find it",
		run: func(t *trial) {
			b, err := t.stage.hall.box(t.ctx, clients)
			t.must(err)
			t.must(b.upload(t.ctx, ejabberdFiles(name)))
			var first uint32
			for life := range 2 {
				p := b.start(inHome(name, t.daemon().port, ejabberdctl(name, "foreground")...))
				t.until(starting, "ejabberd is started", func() string {
					select {
					case <-p.ended:
						t.fail("it has ended:\n%s", tail(p.printed()))
					default:
					}
					if !contains(p.printed(), "is started in the node") {
						return "it printed last:\n" + tail(p.printed())
					}
					return ""
				})
				t.onlyListed(name)
				t.runIn(name, ejabberdctl(name, "status")...)
				if life == 0 {
					t.equal("pong\n", t.runIn(name, ejabberdctl(name, "ping")...), "ejabberdctl ping")
					first = t.ejabberdCreation(name)
				} else {
					t.equal(first+1, t.ejabberdCreation(name), "the creation of its second life")
				}
				t.runIn(name, ejabberdctl(name, "stop")...)
				ctx, cancel := context.WithTimeout(t.ctx, patience)
				_, err := p.wait(ctx)
				cancel()
				t.must(err)
				t.gone(name)
				t.onlyListed()
			}
		},
	}}}}
}

// ejabberdCreation asks ejabberd for its creation, by erl_call.
func (t *trial) ejabberdCreation(name string) (c uint32) {
	printed := t.runIn("erl_call", "erl_call", "-sname", name, "-c", cookie, "-a", "erlang system_info [creation]")
	if _, err := fmt.Sscan(printed, &c); err != nil {
		t.fail("ejabberd says of its creation %q", printed)
	}
	return c
}
