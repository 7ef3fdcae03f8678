package main

// lookingUp is PORT_PLEASE2_REQ and its answer as bytes.
func lookingUp() []mutation {
	port2 := in("wire/port2.go",
		change{
			"wire/port2-tag", check, "if len(body) == 0 || Tag(body[0]) != TagPortPlease2Req {", "if len(body) == 0 {",
			"another message is no PORT_PLEASE2_REQ",
		},
		change{
			"wire/port2-end-kept", check, "last >= 0 && r.Name[last] == 0 {", "last < 0 {",
			"one NUL at the end is dropped",
		},
		change{
			"wire/port2-end-twice", boundary,
			"if last := len(r.Name) - 1; last >= 0 && r.Name[last] == 0 {",
			"for last := len(r.Name) - 1; last >= 0 && r.Name[last] == 0; last-- {",
			"a second NUL at the end closes",
		},
		change{
			"wire/port2-end-alone", boundary, "last >= 0 && r.Name[last] == 0 {", "last > 0 && r.Name[last] == 0 {",
			"a NUL alone is an empty name",
		},
		change{
			"wire/port2-terminated", state, "r.Name, r.Terminated = r.Name[:last:last], true", "r.Name = r.Name[:last:last]",
			"that a NUL stood at the end is told",
		},
		change{
			"wire/port2-empty", check, "case len(name) == 0:", "case len(name) < 0:",
			"an empty name closes",
		},
		change{
			"wire/port2-nul", check, "case hasNUL(name):", "case false:",
			"a NUL in the name closes",
		},
		change{
			"wire/port2-utf8", check, "case !valid:", "case !valid && false:",
			"a name that is not UTF-8 closes",
		},
		change{
			"wire/port2-254", boundary, "chars > MaxLookupChars:", "chars >= MaxLookupChars:",
			"a name of 254 characters can be looked up",
		},
		change{
			"wire/port2-255", boundary, "chars > MaxLookupChars:", "chars > MaxLookupChars+1:",
			"a name of 255 characters cannot be looked up",
		},
		change{
			"wire/port2-bytes", check, "chars > MaxLookupChars:", "chars*0+len(name) > MaxLookupChars:",
			"the limit counts characters and not bytes",
		},
		change{
			"wire/port2-append-check", check, "if err := checkLookupName(r.Name); err != nil {\n\t\treturn b, err", "if err := checkLookupName(r.Name); err != nil && len(b) < 0 {\n\t\treturn b, err",
			"no lookup that a daemon would not answer is written",
		},
		change{
			"wire/port2-append-end", layout, "if r.Terminated {", "if !r.Terminated {",
			"a NUL is written at the end if it is asked for",
		},
		change{
			"wire/port2-found", layout, "b = append(b, byte(TagPort2Resp), 0)", "b = append(b, byte(TagPort2Resp), 1)",
			"the result of a node that was found is 0",
		},
		change{
			"wire/port2-not-found-short", layout, "if r.Result != 0 {", "if r.Result != 1 {",
			"nothing follows a result that is not 0",
		},
		change{
			"wire/port2-resp-result", boundary, "if b[1] != 0 {", "if b[1] > 1 {",
			"a result of 1 is an answer of two bytes",
		},
		change{
			"wire/port2-resp-tag", check, "if len(b) > 0 && Tag(b[0]) != TagPort2Resp {", "if len(b) > 0 && b[0] == 0 {",
			"another message is no PORT2_RESP",
		},
		change{
			"wire/port2-resp-name-bound", boundary, "if len(b) < fixed+nlen {", "if len(b) <= fixed+nlen {",
			"a PORT2_RESP with an empty extra field is complete",
		},
		change{
			"wire/port2-resp-name-early", boundary, "if len(b) < fixed+nlen {", "if len(b) < fixed+nlen-1 {",
			"a PORT2_RESP without all of the length of its extra field is incomplete",
		},
		change{
			"wire/port2-resp-end", boundary, "if len(b) < n {", "if len(b) <= n {",
			"a PORT2_RESP is complete with its last byte",
		},
		change{
			"wire/port2-resp-type", layout, "Type:     b[4]", "Type:     b[5]",
			"the type stands before the protocol",
		},
		change{
			"wire/port2-resp-versions", layout, "Uint16(b[6:])", "Uint16(b[8:])",
			"the highest version stands before the lowest",
		},
		change{
			"wire/port2-resp-size", layout, "}, n, nil", "}, len(b), nil",
			"a PORT2_RESP takes up its own bytes and no more",
		},
		change{
			"wire/port2-resp-node", state, "Name: string(r.Name), Port: r.Port, Type: r.Type, Protocol: r.Protocol,", "Name: string(r.Name), Port: r.Port, Type: r.Type,",
			"the node of an answer has its protocol",
		},
	)
	node := in("wire/node.go",
		change{
			"wire/node-versions", layout,
			"b = binary.BigEndian.AppendUint16(b, highest)\n\tb = binary.BigEndian.AppendUint16(b, lowest)",
			"b = binary.BigEndian.AppendUint16(b, lowest)\n\tb = binary.BigEndian.AppendUint16(b, highest)",
			"the highest version is written before the lowest",
		},
		change{
			"wire/node-type", layout, "b = append(b, typ, protocol)", "b = append(b, protocol, typ)",
			"the type is written before the protocol",
		},
		change{
			"wire/node-port-order", layout, "b = binary.BigEndian.AppendUint16(b, port)", "b = binary.LittleEndian.AppendUint16(b, port)",
			"the port is written big-endian",
		},
		change{
			"wire/node-name-length", layout, "uint16(len(name)))", "uint16(len(name)+1))",
			"the length of the name is written",
		},
		change{
			"wire/node-extra-length", layout, "uint16(len(extra)))", "uint16(len(name)))",
			"the length of the extra field is written",
		},
		change{
			"wire/node-extra", layout, "return append(b, extra...)", "return b",
			"the extra field is written",
		},
		change{
			"wire/node-type-normal", layout, "NodeTypeNormal = 77", "NodeTypeNormal = 72",
			"a node's type is 77",
		},
		change{
			"wire/nul-first", boundary, "if s[i] == 0 {", "if s[i] == 0 && i > 0 {",
			"a NUL counts in the first place too",
		},
	)
	return append(port2, node...)
}
