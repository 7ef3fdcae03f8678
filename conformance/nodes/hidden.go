package nodes

import "fmt"

// hidden: a hidden node is found like any other.
func hidden() []scenario {
	return each("hidden",
		"a hidden node is registered like any other, found by its peer, and hidden from it",
		"tools that connect as hidden nodes could not be reached",
		func(t *trial, otp int) {
			s := spec{otp: otp, name: fmt.Sprintf("h%d", otp), args: []string{"-hidden"}}
			h, n := t.newNode(s), t.node(short(otp))
			t.equal(77, t.lookup(s.name).Type, "its type")
			n.reach(t, h, tcp)
			for _, pair := range [][2]*node{{n, h}, {h, n}} {
				pair[0].expect(t, "{true,false}", "{lists:member('%s', nodes(hidden)), lists:member('%[1]s', nodes())}", pair[1].name())
			}
			h.reach(t, n, tcp)
		})
}

// mute: a node that does not listen is not registered.
func mute() []scenario {
	return each("dist-listen-false",
		"a node with -dist_listen false has a name and is not registered; it finds others, and nobody finds it",
		"a lookup would tell a port that nobody listens on",
		func(t *trial, otp int) {
			s := spec{otp: otp, name: fmt.Sprintf("m%d", otp), args: []string{"-dist_listen", "false"}}
			m, n := t.newNode(s), t.node(short(otp))
			m.expect(t, "true", "is_alive()")
			if port, listed := t.ports()[s.name]; listed {
				t.fail("it is registered, at port %d", port)
			}
			t.equal("pang", n.ping(t, m.name()), "ping to %s", m.name())
			m.reach(t, n, tcp)
			n.part(t, m)
			t.equal("pang", n.ping(t, m.name()), "ping to %s", m.name())
		})
}

// taken: the second node of a name does not start.
func taken() []scenario {
	return each("taken",
		"a second node with the name of a living one does not start, and the first stays what it was",
		"two nodes would take each other's messages",
		func(t *trial, otp int) {
			s := short(otp)
			n := t.node(s)
			before := t.lookup(s.name)
			printed, status, err := n.box.run(t.ctx, s.commandEval(t.daemon().port, "halt(0)"))
			t.must(err)
			t.step("start another "+n.name(), printed)
			if status == 0 {
				t.fail("the second %s started", n.name())
			}
			if !contains(printed, "in use by another Erlang node") {
				t.fail("the second %s does not say that its name is in use:\n%s", n.name(), tail(printed))
			}
			t.equal(before, t.lookup(s.name), "lookup of %s", s.name)
		})
}

// anonymous: a node takes a name when it likes, and gives it back.
func anonymous() []scenario {
	return each("dynamic",
		"a node that takes a name while it runs is registered then, and not when it has given it back; its next life has the next creation",
		"scripts and tools that become nodes for a moment would leave their names behind",
		func(t *trial, otp int) {
			s := spec{otp: otp, name: fmt.Sprintf("d%d", otp), anonymous: true}
			d, n := t.newNode(s), t.node(short(otp))
			d.expect(t, "false", "is_alive()")
			var lives []uint32
			for range 2 {
				d.expect(t, "ok", "begin {ok, _} = net_kernel:start(['%s', shortnames]), ok end", s.name)
				d.expect(t, "true", "erlang:set_cookie(node(), %s)", cookie)
				t.lookup(s.name)
				n.reach(t, d, tcp)
				lives = append(lives, d.creation(t))
				d.expect(t, "ok", "net_kernel:stop()")
				t.gone(s.name)
				t.equal("pang", n.ping(t, d.name()), "ping to %s", d.name())
			}
			t.equal(lives[0]+1, lives[1], "creation of the second life")
		})
}
