package main

// policies is who may make which request.
func policies() []mutation {
	return append(in("epmd/session/right.go",
		change{
			"session/right-register", locality, "\t\treturn RightRegister\n", "\t\treturn RightLookup\n",
			"only local peers may register",
		},
		change{
			"session/right-dump", locality, "\t\treturn RightDump\n", "\t\treturn RightNames\n",
			"only local peers may dump",
		},
		change{
			"session/right-kill", locality, "\t\treturn RightKill\n", "\t\treturn RightLookup\n",
			"only local peers may kill",
		},
		change{
			"session/right-stop", locality, "\t\treturn RightStop\n", "\t\treturn RightLookup\n",
			"only local peers may stop",
		},
		change{
			"session/right-lookup", locality, "\t\treturn RightLookup\n", "\t\treturn RightRegister\n",
			"PORT_PLEASE2_REQ is answered to anybody",
		},
		change{
			"session/right-names", locality, "\t\treturn RightNames\n", "\t\treturn RightDump\n",
			"NAMES_REQ is answered to anybody",
		},
	), in("epmd/session/policy.go",
		change{
			"session/lookup-empty", check, "p.Lookup == nil", "len(p.Lookup) == 0",
			"an empty list closes lookups to others",
		},
		change{
			"session/names-empty", check, "p.Names == nil", "len(p.Names) == 0",
			"an empty list closes the list of names to others",
		},
		change{
			"session/register-no-list", locality, "return p.Register, false", "return p.Register, p.Register == nil",
			"without a list only local peers may register",
		},
		change{
			"session/stop-no-list", locality, "return p.Stop, false", "return p.Stop, p.Stop == nil",
			"without a list only local peers may dump, kill and stop",
		},
		change{
			"session/register-for-stop", locality, "return p.Stop, false", "return p.Register, false",
			"who may register may not stop",
		},
		change{
			"session/local-locked-out", locality, "case everybody || contains(list, peer) || IsLocal(peer):", "case everybody || contains(list, peer) || list == nil && IsLocal(peer):",
			"a list does not lock out the local machine",
		},
		change{
			"session/list-unread", locality, "everybody || contains(list, peer) ||", "everybody ||",
			"peers in a listed network may make the request",
		},
		change{
			"session/list-everybody", locality, "everybody || contains(list, peer) ||", "everybody || len(list) > 0 ||",
			"peers outside the listed networks may not make the request",
		},
		change{
			"session/list-first", boundary, "for _, n := range list {", "for _, n := range list[:1] {",
			"each network of a list counts",
		},
		change{
			"session/list-mapped", locality, "peer.Remote().Unmap().WithZone(\"\")", "peer.Remote().WithZone(\"\")",
			"an IPv4 address mapped into IPv6 is in the network of its IPv4 form",
		},
		change{
			"session/list-zone", locality, "peer.Remote().Unmap().WithZone(\"\")", "peer.Remote().Unmap()",
			"the zone of an address does not keep it out of a network",
		},
		change{
			"session/allow-unasked", check, "p.Allow != nil && !p.Allow(peer, t)", "false",
			"the program's own rule is asked",
		},
		change{
			"session/not-listed", answer, "return ErrNotListed", "return ErrNotLocal",
			"that there is a list, and the peer not in it, is told",
		},
	)...)
}
