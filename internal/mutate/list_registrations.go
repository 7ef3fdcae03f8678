package main

// registrations is what Register does to the registry.
func registrations() []mutation {
	return in("registry/registry.go",
		change{
			"registry/unchecked", check, "refusal := check(n.Name, n.Extra)", "refusal := Refusal(0)",
			"what is beyond the limits is refused",
		},
		change{
			"registry/taken", check, `case c.several == nil || c`, `case c.several == nil && c.owner == o || c.several != nil && c`,
			"a name that another holds is refused",
		},
		change{
			"registry/taken-by-itself", check, `case c.several == nil || c`, `case c.several == nil && c.owner != o || c.several != nil && c`,
			"a name is refused to its own holder too",
		},
		change{
			"registry/taken-remembered", check, "stands := c != nil && c.registered\n", "stands := c != nil\n",
			"a remembered name can be registered",
		},
		change{
			"registry/refused-creation", state, "return 0, why", "return wire.RefusedCreation, why",
			"who is refused has no creation",
		},
		change{
			"registry/remembered-stays-old", state, "r.old.remove(c)\n\t\tc.counter", "c.counter",
			"a name that is registered again is no longer remembered",
		},
		change{
			"registry/takeover-stays-old", state, "\tr.old.remove(c)\n\tdelete(", "\tdelete(",
			"a record that is taken over is no longer remembered",
		},
		change{
			"registry/takeover-keeps-name", state, "\tdelete(r.byName, c.name)\n", "",
			"the name of a record that is taken over is forgotten",
		},
		change{
			"registry/beyond-forever", boundary, "if r.old.n > r.remember+RememberBeyond {", "if false {",
			"of very many nodes gone by not all are remembered",
		},
		change{
			"registry/beyond-early", boundary, "if r.old.n > r.remember+RememberBeyond {", "if r.old.n >= r.remember+RememberBeyond {",
			"as many names are remembered beyond the border as OTP's epmd can have",
		},
		change{
			"registry/beyond-newest", order, "r.forget(r.old.first)", "r.forget(r.old.last)",
			"the oldest name is forgotten",
		},
		change{
			"registry/shrink-never", state, "if r.most < shrinkFrom || ", "if true || ",
			"memory for very many names is given back",
		},
		change{
			"registry/takeover-no-name", state, "r.forget(c)\n\t\tr.byName[n.Name] = c\n", "r.forget(c)\n",
			"a name that took a record over is found",
		},
		change{
			"registry/new-no-name", state, "nextCounter(r.floor))}\n\t\tr.byName[n.Name] = c\n", "nextCounter(r.floor))}\n",
			"a new name is found",
		},
		change{
			"registry/node-kept", state, "\tc.set(n)\n\tc.port, c.owner", "\tif c.highest == 0 {\n\t\tc.set(n)\n\t}\n\tc.port, c.owner",
			"a node that comes back is told as it is now",
		},
		change{
			"registry/owner-kept", state, "c.port, c.owner = n.Port, o\n",
			"c.port = n.Port\n\tif c.owner == 0 {\n\t\tc.owner = o\n\t}\n",
			"a node that comes back is its new owner's",
		},
		change{
			"registry/since-kept", clock, "c.name, c.since, c.registered, c.several = n.Name, now.UnixNano(), true, nil",
			"if c.since == 0 {\n\t\tc.since = now.UnixNano()\n\t}\n\tc.name, c.registered, c.several = n.Name, true, nil",
			"a node that comes back is registered since then",
		},
		change{
			"registry/not-registered", state, "c.name, c.since, c.registered, c.several = n.Name, now.UnixNano(), true, nil",
			"c.name, c.since, c.several = n.Name, now.UnixNano(), nil",
			"a registered node is found",
		},
		change{
			"registry/chain-cut", state, "c.sibling, r.byOwner[o] = r.byOwner[o], c", "r.byOwner[o] = c",
			"all names of an owner end with it",
		},
		change{
			"registry/chain-first-only", state, "c.sibling, r.byOwner[o] = r.byOwner[o], c", "if r.byOwner[o] == nil {\n\t\tr.byOwner[o] = c\n\t}",
			"all names of an owner end with it",
		},
		change{
			"registry/live-order", order, "r.live.pushFirst(c)", "r.live.pushLast(c)",
			"the most recently registered node comes first",
		},
		change{
			"registry/no-clock", clock, "r.now = time.Now\n", "r.now = func() time.Time { return time.Time{} }\n",
			"without being told, the registry asks the system for the time",
		},
	)
}

// endings is what ends registrations, and what must not.
func endings() []mutation {
	return in("registry/registry.go",
		change{
			"registry/release-keeps-owner", state, "\tdelete(r.byOwner, o)\n", "",
			"an owner that was released owns nothing",
		},
		change{
			"registry/release-first-only", state, "for c != nil {\n\t\tnext", "if c != nil {\n\t\tnext",
			"all names of an owner end with it",
		},
		change{
			"registry/release-not-retired", state, "\t\tr.retire(c, why)\n\t\tc = next", "\t\tc = next",
			"a name that is released is no longer registered",
		},
		change{
			"registry/release-reason", event, "\t\tr.retire(c, why)\n\t\tc = next", "\t\tr.retire(c, ReasonClosed)\n\t\tc = next",
			"the event tells why an owner was released",
		},
		change{
			"registry/unregister-remembered", check, "if c == nil || !c.registered {\n\t\treturn nil\n\t}", "if c == nil {\n\t\treturn nil\n\t}",
			"a remembered name cannot be unregistered",
		},
		change{
			"registry/unregister-chained", state, "\tr.unchain(c)\n", "",
			"a name that was unregistered does not end once more with its owner",
		},
		change{
			"registry/unregister-all", state, "\tr.unchain(c)\n", "\tdelete(r.byOwner, c.owner)\n",
			"the other names of its owner end with the owner still",
		},
		change{
			"registry/unregister-reason", event, "\tr.retire(c, why)\n\treturn", "\tr.retire(c, ReasonStopped)\n\treturn",
			"the event tells the reason that was given",
		},
		change{
			"registry/unregister-owners", answer, "return []Owner{c.owner}", "return []Owner{}",
			"who held the name is told",
		},
		change{
			"registry/unchain-last", state, "if c.sibling == nil {\n\t\t\tdelete(", "if c.sibling != nil {\n\t\t\tdelete(",
			"an owner without a name has no chain",
		},
		change{
			"registry/unchain-first", state, "r.byOwner[c.owner] = c.sibling\n", "delete(r.byOwner, c.owner)\n",
			"a chain goes on without its first name",
		},
		change{
			"registry/unchain-middle", state, "at.sibling = c.sibling", "at.sibling = nil",
			"a chain goes on behind a name that left it",
		},
		change{
			"registry/retire-live", state, "\tr.live.remove(c)\n", "",
			"a name that ended is not listed as registered",
		},
		change{
			"registry/retire-registered", state, "c.registered, c.sibling = false, nil", "c.sibling = nil",
			"a name that ended is not found",
		},
		change{
			"registry/retire-sibling", state, "c.registered, c.sibling = false, nil", "c.registered = false",
			"a remembered name is in nobody's chain",
		},
		change{
			"registry/retire-extra", state, "\tc.extra = \"\" // of an old name only port and owner are ever told\n", "",
			"of a remembered name the extra field is not kept",
		},
		change{
			"registry/retire-order", order, "r.old.pushLast(c)", "r.old.pushFirst(c)",
			"names are remembered in the order of their ends",
		},
		change{
			"registry/retire-forgotten", state, "\tr.old.pushLast(c)\n", "",
			"a name that ended is remembered",
		},
	)
}
