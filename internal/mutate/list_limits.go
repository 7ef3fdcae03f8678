package main

// limits is the numbers of the protocol, each a little wrong.
func limits() []mutation {
	return in("wire/limits.go",
		change{
			"wire/max-body-3056", boundary, "MaxBodyLen = 3057", "MaxBodyLen = 3056",
			"the longest body has 3057 bytes",
		},
		change{
			"wire/max-body-3058", boundary, "MaxBodyLen = 3057", "MaxBodyLen = 3058",
			"the longest body has 3057 bytes",
		},
		change{
			"wire/min-body", boundary, "MinBodyLen = 1", "MinBodyLen = 2",
			"the shortest body has one byte",
		},
		change{
			"wire/max-name-bytes-1019", boundary, "MaxNameBytes = 1020", "MaxNameBytes = 1019",
			"a name of 1020 bytes is registered",
		},
		change{
			"wire/max-name-bytes-1021", boundary, "MaxNameBytes = 1020", "MaxNameBytes = 1021",
			"a name of 1021 bytes is refused",
		},
		change{
			"wire/max-name-chars-254", boundary, "MaxNameChars = 255", "MaxNameChars = 254",
			"a name of 255 characters is registered",
		},
		change{
			"wire/max-name-chars-256", boundary, "MaxNameChars = 255", "MaxNameChars = 256",
			"a name of 256 characters is refused",
		},
		change{
			"wire/max-lookup-253", boundary, "MaxLookupChars = 254", "MaxLookupChars = 253",
			"a name of 254 characters can be looked up",
		},
		change{
			"wire/max-lookup-255", boundary, "MaxLookupChars = 254", "MaxLookupChars = 255",
			"a name of 255 characters cannot be looked up",
		},
		change{
			"wire/max-extra-1019", boundary, "MaxExtraBytes = 1020", "MaxExtraBytes = 1019",
			"an extra field of 1020 bytes is registered",
		},
		change{
			"wire/max-extra-1021", boundary, "MaxExtraBytes = 1020", "MaxExtraBytes = 1021",
			"an extra field of 1021 bytes is refused",
		},
		change{
			"wire/highest-5", boundary, "Highest32BitCreation = 6", "Highest32BitCreation = 5",
			"a node of version 5 gets a creation of 16 bits",
		},
		change{
			"wire/highest-7", boundary, "Highest32BitCreation = 6", "Highest32BitCreation = 7",
			"a node of version 6 gets a creation of 32 bits",
		},
		change{
			"wire/refused-creation", layout, "RefusedCreation = 99", "RefusedCreation = 0",
			"a refusal holds the creation 99",
		},
		change{
			"wire/default-port", layout, "DefaultPort = 4369", "DefaultPort = 4396",
			"the port of EPMD is 4369",
		},
	)
}

// tags is the numbers and names of the messages.
func tags() []mutation {
	tag := in("wire/tag.go",
		change{
			"wire/tag-alive2", layout, "Tag = 120", "Tag = 88",
			"ALIVE2_REQ is 120",
		},
		change{
			"wire/tag-port-please2", layout, "Tag = 122", "Tag = 112",
			"PORT_PLEASE2_REQ is 122",
		},
		change{
			"wire/tag-names", layout, "Tag = 110", "Tag = 78",
			"NAMES_REQ is 110",
		},
		change{
			"wire/tag-dump", layout, "Tag = 100", "Tag = 68",
			"DUMP_REQ is 100",
		},
		change{
			"wire/tag-kill", layout, "Tag = 107", "Tag = 75",
			"KILL_REQ is 107",
		},
		change{
			"wire/tag-stop", layout, "Tag = 115", "Tag = 83",
			"STOP_REQ is 115",
		},
		change{
			"wire/tag-alive2-resp", layout, "Tag = 121 //", "Tag = 89 //",
			"ALIVE2_RESP is 121",
		},
		change{
			"wire/tag-alive2-x-resp", layout, "Tag = 118", "Tag = 86",
			"ALIVE2_X_RESP is 118",
		},
		change{
			"wire/tag-port2-resp", layout, "Tag = 119", "Tag = 87",
			"PORT2_RESP is 119",
		},
		change{
			"wire/tag-text", layout, `return "DUMP_REQ"`, `return "NAMES_REQ"`,
			"a tag is called by its own name",
		},
	)
	dialect := in("wire/dialect.go",
		change{
			"wire/dialect-stop", check, "TagKillReq, TagStopReq:", "TagKillReq:",
			"a daemon knows STOP_REQ",
		},
		change{
			"wire/dialect-replies", check, "TagKillReq, TagStopReq:", "TagKillReq, TagStopReq, TagPort2Resp:",
			"the tag of a reply is no request's",
		},
		change{
			"wire/dialect-garbage", check, "return false", "return true",
			"a tag that no request has closes",
		},
		change{
			"wire/dialect-unknown", check, "return d <= MultiTransport", "return true",
			"a dialect that there is not knows no request",
		},
	)
	return append(tag, dialect...)
}
