package main

// events is what subscribers are told.
func events() []mutation {
	published := in("registry/registry.go",
		change{
			"registry/event-refused", event, "\tr.publish(Event{Kind: Refused, Owner: o, Node: n, Transports: left, Refusal: why})\n", "\t_ = left\n",
			"a refusal is an event",
		},
		change{
			"registry/event-refused-kind", event, "Event{Kind: Refused,", "Event{Kind: Registered,",
			"a refusal is told as one",
		},
		change{
			"registry/event-refusal", event, "Refusal: why}", "Refusal: RefusedTaken}",
			"the event tells why a node was refused",
		},
		change{
			"registry/event-registered", event, "\tr.publish(Event{Kind: Registered, Owner: o, Node: n, Transports: 1, Creation: c.creation()})\n", "",
			"a registration is an event",
		},
		change{
			"registry/event-creation", event, "Event{Kind: Registered, Owner: o, Node: n, Transports: 1, Creation: c.creation()}", "Event{Kind: Registered, Owner: o, Node: n, Transports: 1, Creation: c.counter}",
			"the event tells the creation as the node was told it",
		},
		change{
			"registry/event-unregistered", event,
			"\tr.publish(Event{Kind: Unregistered, Owner: c.owner, Node: first, Creation: c.creation(), Reason: why})\n", "\t_ = why\n",
			"the end of a registration is an event",
		},
		change{
			"registry/event-reason", event, "Creation: c.creation(), Reason: why}", "Creation: c.creation(), Reason: why - why}",
			"the event tells why a registration ended",
		},
		change{
			"registry/event-extra", event,
			"\tr.publish(Event{Kind: Unregistered,", "\tc.node.Extra = \"\"\n\tr.publish(Event{Kind: Unregistered,",
			"the event tells the node as its owner told it",
		},
	)
	streams := in("registry/event.go",
		change{
			"registry/event-seq", event, "\tr.seq++\n", "",
			"events are counted",
		},
		change{
			"registry/event-seq-unread", event, "\tr.seq++\n\tif len(r.subscribers) == 0 && r.onEvent == nil {\n\t\treturn\n\t}\n", "\tif len(r.subscribers) == 0 && r.onEvent == nil {\n\t\treturn\n\t}\n\tr.seq++\n",
			"events are counted though nobody reads them",
		},
		change{
			"registry/event-time", event, "\t\te.Time = r.now()\n", "",
			"an event tells its time",
		},
		change{
			"registry/event-dropped", event, "s.dropped.Add(1)", "s.dropped.Add(0)",
			"an event that finds no room is counted",
		},
		change{
			"registry/event-waits", event, "\t\tdefault:\n\t\t\ts.dropped.Add(1)\n", "",
			"the registry never waits for a subscriber",
		},
		change{
			"registry/event-buffer", boundary, "max(buffer, 1)", "max(buffer, 0)",
			"the buffer holds one event at least",
		},
		change{
			"registry/subscribe-nobody", event, "\tr.subscribers[s] = struct{}{}\n", "",
			"who subscribed is told",
		},
		change{
			"registry/close-stays", event, "\t\tdelete(s.registry.subscribers, s)\n", "",
			"who closed its subscription is told nothing more",
		},
		change{
			"registry/close-twice", check, "if _, open := s.registry.subscribers[s]; open {", "{",
			"closing a subscription twice is fine",
		},
		change{
			"registry/close-open", event, "\t\tclose(s.send)\n", "",
			"the stream of a closed subscription ends",
		},
		change{
			"registry/reason-label", layout, `return "unanswered"`, `return "closed"`,
			"a reason is counted under its own label",
		},
		change{
			"registry/kind-label", layout, `return "refused"`, `return "registered"`,
			"a kind of event has its own name",
		},
	)
	return append(published, streams...)
}
