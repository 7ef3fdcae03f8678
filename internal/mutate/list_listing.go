package main

// listing is NAMES_REQ, DUMP_REQ and their answers as bytes.
func listing() []mutation {
	names := in("wire/names.go",
		change{
			"wire/names-tag", check, "if len(body) == 0 || Tag(body[0]) != TagNamesReq {", "if len(body) == 0 {",
			"another message is no NAMES_REQ",
		},
		change{
			"wire/names-tail", state, "return NamesReq{Tail: slices.Clip(body[1:])}, nil", "return NamesReq{}, nil",
			"what follows the tag is told as the tail",
		},
		change{
			"wire/list-port-order", layout, "return binary.BigEndian.AppendUint32(b, port)", "return binary.LittleEndian.AppendUint32(b, port)",
			"the daemon's port is written big-endian",
		},
		change{
			"wire/list-port-bound", boundary, "if len(b) < 4 {", "if len(b) <= 4 {",
			"an empty list is the port alone",
		},
		change{
			"wire/list-port-lines", layout, "return binary.BigEndian.Uint32(b), slices.Clip(b[4:]), nil", "return binary.BigEndian.Uint32(b), slices.Clip(b), nil",
			"lines begin behind the port",
		},
		change{
			"wire/name-line-text", layout, `nameLineMiddle = " at port "`, `nameLineMiddle = " at Port "`,
			"a line of NAMES_REQ reads as OTP's tools expect",
		},
		change{
			"wire/name-line-break", layout, "return append(b, '\\n')", "return append(b, ' ', '\\n')",
			"a line of NAMES_REQ ends right behind the port",
		},
		change{
			"wire/name-line-overhead", boundary, ` + len("65535") + len("\n")`, ` + len("65535")`,
			"the bound of what a line has besides its name holds",
		},
		change{
			"wire/name-lines-stop", state, "if !yield(line, nil) {\n\t\t\t\treturn\n\t\t\t}", "yield(line, nil)",
			"who stops reading lines gets no more",
		},
		change{
			"wire/name-line-end", check, "if end == len(b) || bytes.HasPrefix(b[end:], []byte(nameLinePrefix)) {", "if end <= len(b) {",
			"a name may hold what looks like the end of a line",
		},
		change{
			"wire/name-line-last", check, "if end == len(b) || bytes.HasPrefix", "if end < len(b) && bytes.HasPrefix",
			"the last line has no other behind it",
		},
		change{
			"wire/name-line-port", boundary, "cutNumber(digits, 1<<16-1)", "cutNumber(digits, 1<<16)",
			"a port is at most 65535",
		},
		change{
			"wire/number-bound", boundary, "if v > (highest-d)/10 ||", "if v >= (highest-d)/10 ||",
			"a number up to its highest value is read",
		},
		change{
			"wire/number-overflow", check, "if v > (highest-d)/10 ||", "if v > highest ||",
			"a number above its highest value is none",
		},
		change{
			"wire/number-zero", check, "|| size > 0 && b[0] == '0' {", "{",
			"a number has no zero in front",
		},
		change{
			"wire/number-9", boundary, "b[size] <= '9'", "b[size] < '9'",
			"9 is a digit",
		},
		change{
			"wire/number-none", check, "return v, size, size > 0", "return v, size, true",
			"no digits are no number",
		},
	)
	dump := in("wire/dump.go",
		change{
			"wire/dump-tag", check, "if len(body) == 0 || Tag(body[0]) != TagDumpReq {", "if len(body) == 0 {",
			"another message is no DUMP_REQ",
		},
		change{
			"wire/dump-nul", layout, "return append(b, 0)", "return b",
			"a NUL byte ends a line of DUMP_REQ",
		},
		change{
			"wire/dump-active-text", layout, `activePrefix = "active name     <"`, `activePrefix = "active name    <"`,
			"the line of a registered node reads as OTP's",
		},
		change{
			"wire/dump-old-blank", layout, `oldEnd       = " \n"`, `oldEnd       = "\n"`,
			"the line of a remembered name has a blank at its end",
		},
		change{
			"wire/dump-active-blank", layout, `activeEnd    = "\n"`, `activeEnd    = " \n"`,
			"the line of a registered node has no blank at its end",
		},
		change{
			"wire/dump-overhead", boundary, ` + 16 + len(" \n\x00")`, ` + len(" \n\x00")`,
			"the bound of what a line has besides its name holds",
		},
		change{
			"wire/dump-swapped", layout, "return appendDumpLine(b, activePrefix, name, activeMiddle,", "return appendDumpLine(b, activePrefix, name, oldMiddle,",
			"the line of a registered node reads as OTP's",
		},
		change{
			"wire/dump-name-end", check, "at := bytes.LastIndex(b, []byte(middle))", "at := bytes.Index(b, []byte(middle))",
			"a name may hold what follows names",
		},
		change{
			"wire/dump-fd-end", check, "if !ok || size != len(numbers) {", "if !ok {",
			"nothing stands behind the number of the connection",
		},
		change{
			"wire/dump-fd-text", check, "if !ok || !bytes.HasPrefix(numbers[size:], []byte(dumpFD)) {", "if !ok || len(numbers) < size+len(dumpFD) {",
			"the port is followed by the number of the connection",
		},
		change{
			"wire/dump-port", boundary, "cutNumber(numbers, math.MaxUint16)", "cutNumber(numbers, math.MaxUint16+1)",
			"a port is at most 65535",
		},
		change{
			"wire/dump-active", state, "DumpLine{Active: active, Name: name,", "DumpLine{Active: !active, Name: name,",
			"registered and remembered are told apart",
		},
		change{
			"wire/dump-end", check, "!bytes.HasPrefix(b, []byte(prefix)) || !bytes.HasSuffix(b, []byte(end)) {", "!bytes.HasPrefix(b, []byte(prefix)) || len(b) < len(prefix)+len(end) {",
			"a line ends with its line break",
		},
	)
	return append(names, dump...)
}
