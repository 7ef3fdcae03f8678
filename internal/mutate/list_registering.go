package main

// registering is ALIVE2_REQ and its answer as bytes.
func registering() []mutation {
	return in("wire/alive2.go",
		change{
			"wire/alive2-tag", check, "if len(body) == 0 || Tag(body[0]) != TagAlive2Req {", "if len(body) == 0 {",
			"another message is no ALIVE2_REQ",
		},
		change{
			"wire/alive2-fixed-12", boundary, "const alive2FixedLen = 13", "const alive2FixedLen = 12",
			"ALIVE2_REQ has 13 bytes besides its name and extra field",
		},
		change{
			"wire/alive2-fixed-14", boundary, "const alive2FixedLen = 13", "const alive2FixedLen = 14",
			"ALIVE2_REQ has 13 bytes besides its name and extra field",
		},
		change{
			"wire/alive2-short", boundary, "if len(body) <= alive2FixedLen {", "if len(body) < alive2FixedLen {",
			"13 bytes are too few for an ALIVE2_REQ",
		},
		change{
			"wire/alive2-name-bound", boundary, "if nlen+alive2FixedLen > len(body) {", "if nlen+alive2FixedLen >= len(body) {",
			"a name may fill the message up to the length of the extra field",
		},
		change{
			"wire/alive2-name-lies", check, "if nlen+alive2FixedLen > len(body) {", "if nlen+alive2FixedLen > MaxPacketLen {",
			"a name that runs past the end closes",
		},
		change{
			"wire/alive2-extra-bound", boundary, "if nlen+elen+alive2FixedLen > len(body) {", "if nlen+elen+alive2FixedLen >= len(body) {",
			"an extra field may end with the message",
		},
		change{
			"wire/alive2-extra-lies", check, "if nlen+elen+alive2FixedLen > len(body) {", "if elen+alive2FixedLen > len(body) {",
			"an extra field that runs past the end closes",
		},
		change{
			"wire/alive2-nul", check, "if hasNUL(name) {", "if false {",
			"a NUL in the name closes",
		},
		change{
			"wire/alive2-nul-end", boundary, "if hasNUL(name) {", "if len(name) > 0 && hasNUL(name[:len(name)-1]) {",
			"a NUL at the end of the name closes",
		},
		change{
			"wire/alive2-nul-start", boundary, "if hasNUL(name) {", "if len(name) > 0 && hasNUL(name[1:]) {",
			"a NUL at the start of the name closes",
		},
		change{
			"wire/alive2-nul-extra", check, "if hasNUL(name) {", "if hasNUL(rest[2:2+elen]) || hasNUL(name) {",
			"the extra field may hold any bytes",
		},
		change{
			"wire/alive2-port", layout, "Port:     binary.BigEndian.Uint16(body[1:])", "Port:     binary.LittleEndian.Uint16(body[1:])",
			"the port is read big-endian",
		},
		change{
			"wire/alive2-type", layout, "Type:     body[3]", "Type:     body[4]",
			"the type stands before the protocol",
		},
		change{
			"wire/alive2-protocol", layout, "Protocol: body[4]", "Protocol: body[3]",
			"the protocol stands behind the type",
		},
		change{
			"wire/alive2-highest", layout, "Uint16(body[5:])", "Uint16(body[7:])",
			"the highest version stands before the lowest",
		},
		change{
			"wire/alive2-lowest", layout, "Uint16(body[7:])", "Uint16(body[5:])",
			"the lowest version stands behind the highest",
		},
		change{
			"wire/alive2-name-capacity", state, "body[11:11+nlen:11+nlen]", "body[11:11+nlen]",
			"who appends to the name that was parsed does not overwrite the message",
		},
		change{
			"wire/alive2-extra-capacity", state, "rest[2 : 2+elen : 2+elen]", "rest[2 : 2+elen]",
			"who appends to the extra field that was parsed does not overwrite the message",
		},
		change{
			"wire/alive2-tail", state, "Tail:     slices.Clip(rest[2+elen:]),", "Tail:     slices.Clip(rest[2+elen:])[:0],",
			"what follows the extra field is told as the tail",
		},
		change{
			"wire/alive2-node", state, "Highest: r.Highest, Lowest: r.Lowest, Extra: string(r.Extra),", "Highest: r.Highest, Lowest: r.Lowest,",
			"a node keeps its extra field",
		},
		change{
			"wire/alive2-append-nul", check, "case hasNUL(name):\n\t\treturn b, errAlive2NameNUL", "case false:\n\t\treturn b, errAlive2NameNUL",
			"no request with a NUL in its name is written",
		},
		change{
			"wire/alive2-append-nothing", check, "case n == alive2FixedLen:", "case n < alive2FixedLen:",
			"no request without name, extra field and tail is written",
		},
		change{
			"wire/alive2-append-3057", boundary, "case n > MaxBodyLen:", "case n >= MaxBodyLen:",
			"a registration of 3057 bytes is written",
		},
		change{
			"wire/alive2-append-3058", boundary, "case n > MaxBodyLen:", "case n > MaxBodyLen+1:",
			"a registration of 3058 bytes is not written",
		},
		change{
			"wire/alive2-append-tail", state, "return append(b, r.Tail...), nil", "return b, nil",
			"the tail is written",
		},
		change{
			"wire/alive2-append-lowest", state, "n.Highest, n.Lowest, n.Name", "n.Highest, n.Highest, n.Name",
			"a node is registered with its own lowest version",
		},
		change{
			"wire/alive2-resp-tag", layout, "byte(TagAlive2Resp), r.Result)", "byte(TagAlive2XResp), r.Result)",
			"a creation of 16 bits is told by an ALIVE2_RESP",
		},
		change{
			"wire/alive2-x-resp-tag", layout, "byte(TagAlive2XResp), r.Result)", "byte(TagAlive2Resp), r.Result)",
			"a creation of 32 bits is told by an ALIVE2_X_RESP",
		},
		change{
			"wire/alive2-resp-result", layout, "byte(TagAlive2Resp), r.Result)", "byte(TagAlive2Resp), 0)",
			"an ALIVE2_RESP tells the result",
		},
		change{
			"wire/alive2-x-resp-result", layout, "byte(TagAlive2XResp), r.Result)", "byte(TagAlive2XResp), 0)",
			"an ALIVE2_X_RESP tells the result",
		},
		change{
			"wire/alive2-resp-high", layout, "uint16(r.Creation))", "uint16(r.Creation>>16))",
			"an ALIVE2_RESP holds the low 16 bits",
		},
		change{
			"wire/alive2-x-resp-order", layout, "binary.BigEndian.AppendUint32(b, r.Creation)", "binary.LittleEndian.AppendUint32(b, r.Creation)",
			"the creation is written big-endian",
		},
		change{
			"wire/alive2-resp-3", boundary, "if len(b) < alive2RespLen {", "if len(b) <= alive2RespLen {",
			"an ALIVE2_RESP is complete with 4 bytes",
		},
		change{
			"wire/alive2-x-resp-5", boundary, "if len(b) < alive2XRespLen {", "if len(b) <= alive2XRespLen {",
			"an ALIVE2_X_RESP is complete with 6 bytes",
		},
		change{
			"wire/alive2-x-resp-size", layout, "binary.BigEndian.Uint32(b[2:])}, alive2XRespLen, nil", "binary.BigEndian.Uint32(b[2:])}, alive2RespLen, nil",
			"an ALIVE2_X_RESP takes up 6 bytes",
		},
		change{
			"wire/alive2-x-resp-extended", layout, "Alive2Resp{Extended: true, ", "Alive2Resp{",
			"the two forms of the answer are told apart",
		},
	)
}
