package main

// chunks is how a session takes bytes.
func chunks() []mutation {
	return in("epmd/session/session.go",
		change{
			"session/kept-read", boundary, "const keptRead = wire.MaxPacketLen + 1", "const keptRead = wire.MaxPacketLen",
			"a kept connection is read as OTP's epmd reads it",
		},
		change{
			"session/want-kept", answer, "return keptRead", "return 0",
			"a kept connection is read, or its data would not end it",
		},
		change{
			"session/want-packet", boundary, "return s.need - len(s.buf)\n", "return s.need - len(s.buf) + 1\n",
			"no byte behind the packet is read",
		},
		change{
			"session/want-length", check, "return s.need - len(s.buf)\n", "return wire.MaxPacketLen - len(s.buf)\n",
			"once the length is known, reads ask for what is missing and no more",
		},
		change{
			"session/want-first", boundary, "return wire.MaxPacketLen - len(s.buf)\n", "return wire.MaxPacketLen\n",
			"what has arrived counts in the 3059 bytes of a read",
		},
		change{
			"session/feed-greedy", check, "\tchunk = chunk[:min(len(chunk), s.Want())]\n", "",
			"a chunk that is longer than wanted is cut",
		},
		change{
			"session/feed-used", answer, "\tres.Used = len(chunk)\n", "",
			"how much of a chunk was looked at is told",
		},
		change{
			"session/excess-dropped", check, "wire.FirstPacketLen(packet)", "wire.PacketLen(packet)",
			"bytes behind the packet in its first read close unanswered",
		},
		change{
			"session/excess-always", check,
			"if s.need == 0 || len(packet) < s.need {\n",
			"if len(s.buf) > 0 && s.need > 0 && len(packet) >= s.need {\n\t\treturn s.close(wire.ErrUnknownTag)\n\t}\n\tif s.need == 0 || len(packet) < s.need {\n",
			"a packet that came in pieces is answered",
		},
		change{
			"session/complete", boundary, "|| len(packet) < s.need {", "|| len(packet) <= s.need {",
			"a packet is answered with its last byte",
		},
		change{
			"session/incomplete", boundary, "|| len(packet) < s.need {", "|| len(packet) < s.need-1 {",
			"a packet is not answered before its last byte",
		},
		change{
			"session/first-lost", state, "\t\tif len(s.buf) == 0 {\n\t\t\ts.buf = append(s.buf, chunk...)\n\t\t}\n", "",
			"the first piece of a packet is kept",
		},
		change{
			"session/piece-twice", state, "\t\tif len(s.buf) == 0 {\n\t\t\ts.buf = append(s.buf, chunk...)\n\t\t}\n", "\t\ts.buf = append(s.buf, chunk...)\n",
			"a piece of a packet is kept once",
		},
		change{
			"session/chunk-borrowed", state, "\t\tif len(s.buf) == 0 {\n\t\t\ts.buf = append(s.buf, chunk...)\n", "\t\tif len(s.buf) == 0 {\n\t\t\ts.buf = chunk\n",
			"the session does not keep the chunk",
		},
		change{
			"session/length-again", state, "\t\ts.need = n\n", "\t\t_ = n\n",
			"the length is remembered once it is known",
		},
		change{
			"session/header", layout, "packet[wire.HeaderLen:]", "packet[wire.HeaderLen-1:]",
			"the tag stands behind the length",
		},
		change{
			"session/scratch-unused", state, "scratch[:0])", "nil)",
			"a short reply is written to the scratch buffer",
		},
		change{
			"session/scratch-end", state, "scratch[:0])", "scratch)",
			"a reply begins with the scratch buffer",
		},
	)
}

// phases is how a session begins, is kept, and ends.
func phases() []mutation {
	return in("epmd/session/session.go",
		change{
			"session/data-keeps-name", state, "\t\ts.End(registry.ReasonData)\n\t\tres", "\t\ts.finish(over)\n\t\tres",
			"data on a kept connection ends its registration",
		},
		change{
			"session/data-reason", event, "s.End(registry.ReasonData)", "s.End(registry.ReasonClosed)",
			"data is the reason that is told",
		},
		change{
			"session/data-keeps-connection", answer, "res = Result{Verdict: Close, Err: ErrData}", "res = Result{Verdict: Keep, Err: ErrData}",
			"data on a kept connection closes it",
		},
		change{
			"session/data-error", answer, "res = Result{Verdict: Close, Err: ErrData}", "res = Result{Verdict: Close}",
			"why a connection is closed is told",
		},
		change{
			"session/nothing-is-data", boundary, "case s.phase == kept && len(chunk) == 0:", "case s.phase == kept && len(chunk) < 0:",
			"an empty chunk changes nothing",
		},
		change{
			"session/fed-after-end", check, "\tcase s.phase == over:\n\t\treturn Result{Verdict: Close, Err: ErrEnded}\n", "",
			"a session that is over answers nothing",
		},
		change{
			"session/no-clock", clock, "if s.daemon.PacketTimeout > 0 {", "if s.daemon.PacketTimeout < 0 {",
			"a request has a deadline",
		},
		change{
			"session/zero-clock", boundary, "if s.daemon.PacketTimeout > 0 {", "if s.daemon.PacketTimeout >= 0 {",
			"without a timeout there is no deadline",
		},
		change{
			"session/clock-restarts", clock, "if s.daemon.TimeoutRestarts && len(chunk) > 0 {", "if len(chunk) > 0 {",
			"time counts from the beginning",
		},
		change{
			"session/clock-goes-on", clock, "if s.daemon.TimeoutRestarts && len(chunk) > 0 {", "if !s.daemon.TimeoutRestarts && len(chunk) > 0 {",
			"as up to OTP 27, time counts from the last byte",
		},
		change{
			"session/clock-for-nothing", boundary, "if s.daemon.TimeoutRestarts && len(chunk) > 0 {", "if s.daemon.TimeoutRestarts {",
			"an empty chunk does not start the time again",
		},
		change{
			"session/deadline-kept", clock, "s.phase, s.need, s.buf, s.deadline = p, 0, nil, time.Time{}", "s.phase, s.need, s.buf = p, 0, nil",
			"an answered connection has no deadline",
		},
		change{
			"session/phase-kept", state, "s.phase, s.need, s.buf, s.deadline = p, 0, nil, time.Time{}", "s.need, s.buf, s.deadline = 0, nil, time.Time{}",
			"an answered session reads no other request",
		},
		change{
			"session/fault-goes-on", state, "\ts.finish(over)\n\treturn Result{Verdict: Close, Err: err}", "\treturn Result{Verdict: Close, Err: err}",
			"a fault ends the session",
		},
		change{
			"session/end-keeps-name", state, "\t\ts.daemon.Registry.Release(s.owner, why)\n", "\t\t_ = why\n",
			"the end of a connection ends its registration",
		},
		change{
			"session/end-reason", event, "s.daemon.Registry.Release(s.owner, why)", "s.daemon.Registry.Release(s.owner, registry.ReasonClosed)",
			"why a session ended is told",
		},
		change{
			"session/end-holds", state, "\t\ts.holds = false\n", "",
			"a session that ended holds nothing",
		},
		change{
			"session/end-goes-on", state, "\t}\n\ts.finish(over)\n}", "\t}\n}",
			"a session that was ended is over",
		},
		change{
			"session/begun-empty", boundary, "(s.phase == reading || s.phase == keptForMore) && len(s.buf) > 0", "s.phase == reading || s.phase == keptForMore",
			"a request has begun with its first byte",
		},
		change{
			"session/kept-over", state, "return s.phase == kept || s.phase == keptForMore }", "return s.phase != reading }",
			"a session that is over is not kept",
		},
	)
}

// requests is what a session answers.
func requests() []mutation {
	return in("epmd/session/answer.go",
		change{
			"session/garbage-error", answer, "res := s.close(wire.ErrUnknownTag)\n", "res := s.close(nil)\n",
			"that a tag is unknown is told",
		},
		change{
			"session/garbage-tag", answer, "res := s.close(wire.ErrUnknownTag)\n\t\tres.Tag = tag\n", "res := s.close(wire.ErrUnknownTag)\n",
			"which unknown tag came is told",
		},
		change{
			"session/garbage-known", check, "if !s.daemon.Dialect.Knows(tag) {", "if false {",
			"a request that the dialect does not know closes",
		},
		change{
			"session/sweep", state, "	s.daemon.sweep(req.Name)\n	resp, err := s.daemon.register(", "	resp, err := s.daemon.register(",
			"what has ended is released before a registration",
		},
		change{
			"session/sweep-lookup", state, "	s.daemon.sweep(req.Name)\n	node, found := s.daemon.Registry.Lookup(", "	node, found := s.daemon.Registry.Lookup(",
			"what has ended is released before a lookup",
		},
		change{
			"session/sweep-kill", state, "	s.daemon.sweep(nil)\n	ok := ", "	ok := ",
			"what has ended is released before it is asked whether anybody is left",
		},
		change{
			"session/sweep-stop", state, "	s.daemon.sweep(req.Name)\n	owners := ", "	owners := ",
			"what has ended is released before it is unregistered",
		},
		change{
			"session/sweep-lists", state, "	s.daemon.sweep(nil)\n	b := of", "	b := of",
			"what has ended is released before a list",
		},
		change{
			"session/sweep-late", order, "	s.daemon.sweep(nil)\n	b := of", "	defer s.daemon.sweep(nil)\n	b := of",
			"what has ended is released before the answer",
		},
		change{
			"session/tag", answer, "\t}\n\tres.Tag = tag\n\treturn res\n}\n\nfunc (s *Session) alive2", "\t}\n\treturn res\n}\n\nfunc (s *Session) alive2",
			"which request was answered is told",
		},
		change{
			"session/names-for-dump", answer, "res = s.list((*Daemon).dump)", "res = s.list((*Daemon).names)",
			"DUMP_REQ is answered by a dump",
		},
		change{
			"session/policy", locality, "if err := s.daemon.Policy.check(s.peer, tag); err != nil {", "if err := error(nil); err != nil {",
			"who may make a request is checked",
		},
		change{
			"session/policy-tag", answer, "\t\tres := s.close(err)\n\t\tres.Tag = tag\n", "\t\tres := s.close(err)\n",
			"which request was denied is told",
		},
		change{
			"session/refused-holds", state, "s.holds = err == nil", "s.holds = true",
			"a refused connection holds nothing",
		},
		change{
			"session/holds-nothing", state, "s.holds = err == nil", "s.holds = false",
			"a registered connection takes its name along when it ends",
		},
		change{
			"session/refused-closed", answer, "\ts.finish(kept)\n\treturn Result{Verdict: Keep,", "\ts.finish(kept)\n\tif err != nil {\n\t\treturn s.reply(resp.Append(b))\n\t}\n\treturn Result{Verdict: Keep,",
			"a refused connection is kept open",
		},
		change{
			"session/registered-closed", answer, "return Result{Verdict: Keep, Name", "return Result{Verdict: Close, Name",
			"a registered connection is kept open",
		},
		change{
			"session/registered-over", state, "s.finish(kept)", "s.finish(over)",
			"a registered session goes on until something arrives",
		},
		change{
			"session/refusal-unanswered", answer, "Reply: resp.Append(b), Err: err}", "Reply: resp.Append(b)}",
			"why a node was refused is told",
		},
		change{
			"session/registered-name", answer, "Result{Verdict: Keep, Name: req.Name,", "Result{Verdict: Keep,",
			"which name was to be registered is told",
		},
		change{
			"session/lookup-swapped", answer, "if found {", "if !found {",
			"a node that is registered is found",
		},
		change{
			"session/not-found", layout, "wire.Port2Resp{Result: 1}", "wire.Port2Resp{Result: 2}",
			"the result of a name that was not found is 1",
		},
		change{
			"session/lookup-name", answer, "\tres.Name = req.Name\n\treturn res", "\treturn res",
			"which name was looked up is told",
		},
		change{
			"session/kill-with-nodes", check, "|| s.daemon.Registry.Len() == 0", "|| s.daemon.Registry.Len() >= 0",
			"a daemon with nodes is not killed",
		},
		change{
			"session/kill-one-node", boundary, "|| s.daemon.Registry.Len() == 0", "|| s.daemon.Registry.Len() <= 1",
			"a daemon with one node is not killed",
		},
		change{
			"session/kill-relaxed", check, "ok := s.daemon.RelaxedCommandCheck || ", "ok := ",
			"with the relaxed check a daemon with nodes is killed",
		},
		change{
			"session/kill-goes-on", answer, "res.Verdict = StopDaemon", "res.Verdict = Close",
			"a killed daemon ends",
		},
		change{
			"session/kill-always", answer, "\tif ok {\n\t\tres.Verdict", "\t{\n\t\tres.Verdict",
			"a daemon that answers NO goes on",
		},
		change{
			"session/stop-strict", check, "if !s.daemon.RelaxedCommandCheck {", "if false {",
			"STOP_REQ needs the relaxed check",
		},
		change{
			"session/stop-needs-empty", check, "if !s.daemon.RelaxedCommandCheck {", "if !s.daemon.RelaxedCommandCheck || s.daemon.Registry.Len() > 1 {",
			"STOP_REQ stops one node of many",
		},
		change{
			"session/stop-evict", answer, "res.Name, res.Evict = req.Name, owners", "res.Name = req.Name",
			"the connection of a stopped node is closed",
		},
		change{
			"session/stop-name", answer, "res.Name, res.Evict = req.Name, owners", "res.Evict = owners",
			"which name was stopped is told",
		},
		change{
			"session/stop-text", answer, "owners != nil))", "true))",
			"NOEXIST says that there was no such node",
		},
		change{
			"session/answered-goes-on", state, "func (s *Session) reply(b []byte) Result {\n\ts.finish(over)\n", "func (s *Session) reply(b []byte) Result {\n\ts.finish(reading)\n",
			"one request is answered on a connection",
		},
		change{
			"session/list-goes-on", state, "\tb := of(s.daemon)\n\ts.finish(over)\n", "\tb := of(s.daemon)\n\ts.finish(reading)\n",
			"one list is answered on a connection",
		},
		change{
			"session/list-owned", state, "Reply: b, Shared: true}", "Reply: b}",
			"that a list is shared is told",
		},
		change{
			"session/max-reply", boundary, "const MaxReplyLen = wire.HeaderLen + 16 +", "const MaxReplyLen = wire.HeaderLen +",
			"the longest reply fits in the scratch buffer",
		},
	)
}
