package main

// daemons is what the sessions of a daemon share.
func daemons() []mutation {
	shared := in("epmd/session/daemon.go",
		change{
			"session/open-no-clock", clock, "\ts.startClock(now)\n", "",
			"the time of a request runs from the beginning",
		},
		change{
			"session/names-port", layout, "d.Registry.Names(uint32(d.Port))", "d.Registry.Names(wire.DefaultPort)",
			"NAMES_REQ tells the daemon's own port",
		},
		change{
			"session/dump-port", layout, "d.Registry.Dump(uint32(d.Port))", "d.Registry.Dump(wire.DefaultPort)",
			"DUMP_REQ tells the daemon's own port",
		},
		change{
			"session/extended-6", boundary, "r.Highest >= wire.Highest32BitCreation", "r.Highest > wire.Highest32BitCreation",
			"a node of version 6 is answered by an ALIVE2_X_RESP",
		},
		change{
			"session/extended-lowest", check, "r.Highest >= wire.Highest32BitCreation", "r.Lowest >= wire.Highest32BitCreation",
			"the highest version alone decides the form of the answer",
		},
		change{
			"session/extended-refused", check, "\t\tresp.Result, resp.Creation = 1,", "\t\tresp.Extended = true\n\t\tresp.Result, resp.Creation = 1,",
			"a refusal has the form that the node asked for",
		},
		change{
			"session/refused-result", layout, "resp.Result, resp.Creation = 1,", "resp.Result, resp.Creation = 2,",
			"the result of a refusal is 1",
		},
		change{
			"session/refused-creation", layout, "resp.Result, resp.Creation = 1, wire.RefusedCreation", "resp.Result = 1",
			"a refusal holds the creation 99",
		},
		change{
			"session/creation", state, "\tresp.Creation = creation\n", "\t_ = creation\n",
			"a node is told its creation",
		},
		change{
			"session/stop-reason", event, "registry.ReasonStopped", "registry.ReasonClosed",
			"the event tells that a name was stopped",
		},
		change{
			"session/owner", state, "owner: o, peer: p}", "owner: o + 1, peer: p}",
			"a registration belongs to its own connection",
		},
	)
	verdicts := in("epmd/session/result.go",
		change{
			"session/verdict-text", layout, `return "keep"`, `return "close"`,
			"a verdict has its own name",
		},
	)
	return append(shared, verdicts...)
}

// peers is who counts as local.
func peers() []mutation {
	rule := "return remote.IsLoopback() || remote == p.Local().Unmap().WithZone(\"\")"
	return in("epmd/session/peer.go",
		change{
			"session/local-everybody", locality, rule, "return true",
			"a peer on another machine is not local",
		},
		change{
			"session/local-127-0-0-1", locality, "remote.IsLoopback() ||", "remote == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || remote.Is6() && remote.IsLoopback() ||",
			"all of 127.0.0.0/8 is local",
		},
		change{
			"session/local-v4", locality, "remote.IsLoopback() ||", "remote.Is6() && remote.IsLoopback() ||",
			"127.0.0.0/8 is local whatever it connected to",
		},
		change{
			"session/local-v6", locality, "remote.IsLoopback() ||", "remote.Is4() && remote.IsLoopback() ||",
			"::1 is local whatever it connected to",
		},
		change{
			"session/local-128", boundary, "remote.IsLoopback() ||", "remote.IsLoopback() || remote.Is4() && remote.As4()[0] == 128 ||",
			"128.0.0.0/8 is not local",
		},
		change{
			"session/local-own", locality, rule, "return remote.IsLoopback()",
			"a peer with the very address that it connected to is local",
		},
		change{
			"session/local-own-v4", locality, "|| remote == p.Local()", "|| remote.Is6() && remote == p.Local()",
			"the rule of the own address holds for IPv4",
		},
		change{
			"session/local-own-v6", locality, "|| remote == p.Local()", "|| remote.Is4() && remote == p.Local()",
			"the rule of the own address holds for IPv6",
		},
		change{
			"session/local-other-end", locality, "remote.IsLoopback() ||", "p.Local().IsLoopback() ||",
			"it is the peer's address that counts, and not that of the listener",
		},
		change{
			"session/local-mapped", locality, "p.Remote().Unmap().WithZone(\"\")", "p.Remote().WithZone(\"\")",
			"an IPv4 address mapped into IPv6 is the same address",
		},
		change{
			"session/local-own-mapped", locality, "p.Local().Unmap().WithZone(\"\")", "p.Local().WithZone(\"\")",
			"an own address mapped into IPv6 is the same address",
		},
		change{
			"session/local-zone", locality, "p.Remote().Unmap().WithZone(\"\")", "p.Remote().Unmap()",
			"the zone of the peer's address does not count",
		},
		change{
			"session/local-own-zone", locality, "p.Local().Unmap().WithZone(\"\")", "p.Local().Unmap()",
			"the zone of the own address does not count",
		},
		change{
			"session/local-no-address", check, "if !remote.IsValid() {", "if false {",
			"an end without an address is not local",
		},
	)
}
