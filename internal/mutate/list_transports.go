package main

// transports is the multi-transport extension: its bytes, its names, and the
// connections that take more.
func transports() []mutation {
	alive3 := in("wire/alive3.go",
		change{
			"wire/alive3-short", boundary, "if len(body) <= alive3FixedLen {", "if len(body) < alive3FixedLen {",
			"13 bytes are too few for an ALIVE3_REQ",
		},
		change{
			"wire/alive3-transport-long", boundary, "case tlen > MaxTransportLen:", "case tlen > MaxTransportLen+1:",
			"a transport of 128 bytes closes",
		},
		change{
			"wire/alive3-name-lies", check, "if tlen+nlen+alive3FixedLen > len(body) {", "if nlen+alive3FixedLen > len(body) {",
			"a name that runs past the end closes",
		},
		change{
			"wire/alive3-extra-lies", boundary, "if tlen+nlen+elen+alive3FixedLen > len(body) {", "if tlen+nlen+elen+alive3FixedLen > len(body)+1 {",
			"an extra field that runs past the end closes",
		},
		change{
			"wire/alive3-resp-length", check, "if length != n {", "if length < 0 {",
			"the length of an answer is that of its form",
		},
	)
	port3 := in("wire/port3.go",
		change{
			"wire/port3-many", boundary, "case count > MaxTransports:\n\t\treturn PortPlease3Req", "case count >= MaxTransports:\n\t\treturn PortPlease3Req",
			"32 transports may be asked for",
		},
		change{
			"wire/port3-list-lies", check, "if len(l) > 0 || count != 0 {", "if len(l) > 0 {",
			"the count of a list is that of its names",
		},
		change{
			"wire/port3-name-empty", check, "if len(r.Name) == 0 {\n\t\treturn", "if false {\n\t\treturn",
			"a lookup names a node",
		},
	)
	blocks := in("wire/block.go",
		change{
			"wire/block-full", boundary, "<= MaxBlockLen {", "<= MaxBlockLen+1 {",
			"a block has 16384 bytes at most",
		},
		change{
			"wire/block-early", boundary, "<= MaxBlockLen {", "< MaxBlockLen {",
			"a block may have 16384 bytes",
		},
		change{
			"wire/block-more", layout, "l.close(line, 1)", "l.close(line, 0)",
			"a block says that another one follows",
		},
	)
	names := in("registry/several.go",
		change{
			"registry/transport-of-alive2", check, "(c.several == nil || c.several.has(n.Transport))", "c.several != nil && c.several.has(n.Transport)",
			"a name that ALIVE2_REQ registered takes no transports",
		},
		change{
			"registry/transport-33", boundary, "case stands && len(c.several.list) >= wire.MaxTransports:", "case stands && len(c.several.list) > wire.MaxTransports:",
			"a name has 32 transports at most",
		},
		change{
			"registry/transport-held", boundary, "case r.chains[o].n >= r.maxHeld:", "case r.chains[o].n > r.maxHeld:",
			"an owner holds no more transports than it may",
		},
		change{
			"registry/transport-first", state, "\tc.first()\n\tleft := len(all)", "\tleft := len(all)",
			"old requests are told the first transport that stands",
		},
		change{
			"registry/transport-owner", check, "others := func(h *held) bool { return h.owner != o }", "others := func(h *held) bool { return false }",
			"a transport ends with its own owner alone",
		},
		change{
			"registry/transport-chain", state, "\t\t\tk.first = h.next\n", "\t\t\tk.first = nil\n",
			"an owner's chain goes on without its first transport",
		},
		change{
			"registry/transport-events", event, "\t\t\tr.publishEnd(h, c.node(), why, left)\n", "",
			"the end of one transport is an event",
		},
		change{
			"registry/transport-left", event, "\t\t\tleft--\n", "",
			"the event tells how many transports are left",
		},
		change{
			"registry/transport-evicted", state, "\t\tr.releaseTransports(o, why)\n\t}\n\treturn owners", "\t\t_ = o\n\t}\n\treturn owners",
			"with a name that is stopped ends what else its connections hold",
		},
		change{
			"registry/transport-empty-list", check, "\tcase len(of) == 0:\n\t\treturn c.node(), to, true\n", "",
			"an empty list finds every node",
		},
		change{
			"registry/transport-list-kept", cache, "\tr.changed()\n\tr.publish(", "\tr.publish(",
			"another transport shows in the lists",
		},
	)
	sessions := in("epmd/session/alive3.go",
		change{
			"session/more-wants-length", boundary, "return tagLen - len(s.buf)", "return wire.MaxPacketLen - len(s.buf)",
			"what is behind a further request waits in the socket",
		},
		change{
			"session/more-other-tag", check, "case wire.Tag(s.buf[wire.HeaderLen]) != wire.TagAlive3Req:", "case false:",
			"another request ends the connection before it is complete",
		},
		change{
			"session/more-reason", event, "s.End(registry.ReasonData)", "s.End(registry.ReasonClosed)",
			"the event tells that data ended the registration",
		},
		change{
			"session/more-holds", state, "\t\ts.holds = true\n", "",
			"what a connection registered ends with it",
		},
		change{
			"session/more-deadline", clock, "nil, time.Time{}\n", "nil, s.deadline.Add(0*time.Second)\n",
			"a connection that is kept has no deadline",
		},
		change{
			"session/stop3-no-name", check, "if len(body) > 1 {", "if true {",
			"a STOP3_REQ without a name stops no node",
		},
		change{
			"session/port3-list", check, "e.Field != wire.FieldTransports {", "e.Field < 200 {",
			"a list that is none is answered",
		},
	)
	return append(append(append(append(alive3, port3...), blocks...), names...), sessions...)
}
