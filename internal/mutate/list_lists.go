package main

// links is the linked lists of records, and what is asked of them.
func links() []mutation {
	records := in("registry/record.go",
		change{
			"registry/push-first-prev", state, "l.first.prev = c\n", "l.first.prev = nil\n",
			"the former first record knows the new one",
		},
		change{
			"registry/push-last-next", state, "l.last.next = c\n", "l.last.next = nil\n",
			"the former last record knows the new one",
		},
		change{
			"registry/remove-first", state, "l.first = c.next\n", "l.first = nil\n",
			"a list goes on without its first record",
		},
		change{
			"registry/remove-last", state, "l.last = c.prev\n", "l.last = nil\n",
			"a list goes on without its last record",
		},
		change{
			"registry/remove-count", state, "\tl.n--\n", "",
			"a record that left is not counted",
		},
		change{
			"registry/remove-bytes", state, "l.nameBytes -= len(c.name)", "l.nameBytes -= 0",
			"the bytes of the names that left are not counted",
		},
		change{
			"registry/entry-counter", counter, "Counter: c.counter,", "Counter: c.creation(),",
			"a snapshot tells counter and creation apart",
		},
		change{
			"registry/entry-since", clock, "time.Unix(0, c.since)", "time.Unix(c.since, 0)",
			"a snapshot tells since when a node is registered",
		},
	)
	snapshot := in("registry/snapshot.go",
		change{
			"registry/snapshot-seq", event, "r.seq,\n", "r.seq + 1,\n",
			"a snapshot tells the number of the last event before it",
		},
		change{
			"registry/snapshot-lists", order, "for c := r.live.first;", "for c := r.old.first;",
			"a snapshot has the registered nodes",
		},
		change{
			"registry/snapshot-old", state, "\t\ts.Old = append(s.Old, c.entry())\n", "\t\tbreak\n",
			"a snapshot has the remembered names",
		},
	)
	questions := in("registry/registry.go",
		change{
			"registry/lookup-remembered", check,
			"if c == nil || !c.registered {\n\t\treturn wire.Node{}, false", "if c == nil {\n\t\treturn wire.Node{}, false",
			"a remembered name is not found",
		},
		change{
			"registry/holder-remembered", check,
			"if c == nil || !c.registered {\n\t\treturn 0, false", "if c == nil {\n\t\treturn 0, false",
			"nobody holds a remembered name",
		},
		change{
			"registry/len-remembered", state, "return r.live.n\n", "return r.live.n + r.old.n\n",
			"remembered names are not counted as registered",
		},
	)
	return append(append(records, snapshot...), questions...)
}

// lists is the kept answers to NAMES_REQ and DUMP_REQ.
func lists() []mutation {
	changes := in("registry/registry.go",
		change{
			"registry/register-list-kept", cache, "\tr.changed()\n\tr.publish(", "\tr.publish(",
			"a registration shows in the lists",
		},
		change{
			"registry/release-list-kept", cache, "\tr.changed() // before anybody is told\n\tfor c", "\tfor c",
			"the end of an owner shows in the lists",
		},
		change{
			"registry/unregister-list-kept", cache, "\tr.changed() // before anybody is told\n\tif c.several", "\tif c.several",
			"the end of a name shows in the lists",
		},
		change{
			"registry/names-kept", cache, "\tr.names.Store(nil)\n", "",
			"the answer to NAMES_REQ is made anew after a change",
		},
		change{
			"registry/dump-kept", cache, "\tr.dump.Store(nil)\n", "",
			"the answer to DUMP_REQ is made anew after a change",
		},
	)
	bodies := in("registry/lists.go",
		change{
			"registry/list-of-other-port", cache, "k != nil && k.port == port {", "k != nil {",
			"a list tells the port that was asked for",
		},
		change{
			"registry/list-not-kept", cache, "\tat.Store(&keptList{port, body})\n", "",
			"a list is made once",
		},
		change{
			"registry/list-mixed", cache, "r.kept(&r.dump, port,", "r.kept(&r.names, port,",
			"the two lists are kept apart",
		},
		change{
			"registry/names-old", order, "for c := r.live.first; c != nil; c = c.next {\n\t\t\tb = wire.AppendNameLine", "for c := r.old.first; c != nil; c = c.next {\n\t\t\tb = wire.AppendNameLine",
			"NAMES_REQ lists the registered nodes",
		},
		change{
			"registry/names-reversed", order, "for c := r.live.first; c != nil; c = c.next {\n\t\t\tb = wire.AppendNameLine", "for c := r.live.last; c != nil; c = c.prev {\n\t\t\tb = wire.AppendNameLine",
			"NAMES_REQ lists the most recent node first",
		},
		change{
			"registry/dump-reversed", order, "for c := r.live.first; c != nil; c = c.next {\n\t\t\tb = wire.AppendActiveLine", "for c := r.live.last; c != nil; c = c.prev {\n\t\t\tb = wire.AppendActiveLine",
			"DUMP_REQ lists the most recent node first",
		},
		change{
			"registry/dump-old-reversed", order, "for c := r.old.first; c != nil; c = c.next {\n\t\t\tb = ", "for c := r.old.last; c != nil; c = c.prev {\n\t\t\tb = ",
			"DUMP_REQ lists the oldest remembered name first",
		},
		change{
			"registry/dump-old-active", layout, "b = wire.AppendOldLine(b,", "b = wire.AppendActiveLine(b,",
			"DUMP_REQ tells remembered names from registered nodes",
		},
		change{
			"registry/dump-fd", layout, "b = wire.AppendOldLine(b, c.name, c.port, r.fd(c.owner))", "b = wire.AppendOldLine(b, c.name, c.port, 0)",
			"DUMP_REQ tells the connection that held a remembered name",
		},
		change{
			"registry/names-no-room", state, "b = slices.Grow(b, r.live.nameBytes+r.live.n*wire.NameLineOverhead)", "b = slices.Clip(b)",
			"room for a list is made once",
		},
		change{
			"registry/list-no-port", layout, "b := wire.AppendListPort(nil, port)\n\t\tb = slices.Grow(b, r.live.nameBytes+r.live.n", "b := wire.AppendListPort(nil, 0)\n\t\tb = slices.Grow(b, r.live.nameBytes+r.live.n",
			"a list begins with the daemon's port",
		},
	)
	return append(changes, bodies...)
}
