package main

// killing is KILL_REQ, STOP_REQ and their answers as bytes.
func killing() []mutation {
	kill := in("wire/kill.go",
		change{
			"wire/kill-tag", check, "if len(body) == 0 || Tag(body[0]) != TagKillReq {", "if len(body) == 0 {",
			"another message is no KILL_REQ",
		},
		change{
			"wire/kill-swapped", layout, "if ok {", "if !ok {",
			"OK says that the daemon ends",
		},
		change{
			"wire/kill-no", layout, `killNO = "NO"`, `killNO = "No"`,
			"the refusal of KILL_REQ reads NO",
		},
		change{
			"wire/kill-parse", layout, "return false, len(killNO), nil", "return true, len(killNO), nil",
			"NO says that the daemon goes on",
		},
		change{
			"wire/kill-incomplete", check, "case isPrefix(b, killOK) || isPrefix(b, killNO):", "case isPrefix(b, killOK):",
			"the beginning of NO is incomplete, and not wrong",
		},
		change{
			"wire/text-bound", boundary, "return len(b) >= len(text) &&", "return len(b) > len(text) &&",
			"an answer is complete with its last byte",
		},
	)
	stop := in("wire/stop.go",
		change{
			"wire/stop-tag", check, "if len(body) == 0 || Tag(body[0]) != TagStopReq {", "if len(body) == 0 {",
			"another message is no STOP_REQ",
		},
		change{
			"wire/stop-empty", check, "if len(rest) == 0 {", "if len(rest) < 0 {",
			"a STOP_REQ without a byte behind its tag closes",
		},
		change{
			"wire/stop-nul", check, "end := bytes.IndexByte(rest, 0)", "end := bytes.IndexByte(rest[:0], 0)",
			"the name to stop ends at a NUL",
		},
		change{
			"wire/stop-last-nul", order, "end := bytes.IndexByte(rest, 0)", "end := bytes.LastIndexByte(rest, 0)",
			"the name to stop ends at the first NUL",
		},
		change{
			"wire/stop-first-nul", boundary, "if end < 0 {", "if end <= 0 {",
			"the name to stop is empty if it begins with a NUL",
		},
		change{
			"wire/stop-tail", state, "StopReq{Name: rest[:end:end], Tail: rest[end:]}", "StopReq{Name: rest[:end:end]}",
			"what follows the name is told as the tail",
		},
		change{
			"wire/stop-append-nul", check, "case hasNUL(r.Name) || len(r.Tail)", "case len(r.Tail)",
			"no request with a NUL in its name is written",
		},
		change{
			"wire/stop-append-tail", check, "case hasNUL(r.Name) || len(r.Tail) > 0 && r.Tail[0] != 0:", "case hasNUL(r.Name):",
			"no tail that would lengthen the name is written",
		},
		change{
			"wire/stop-append-empty", check, "case len(r.Name)+len(r.Tail) == 0:", "case len(r.Name)+len(r.Tail) < 0:",
			"no STOP_REQ without a name and a tail is written",
		},
		change{
			"wire/stop-unknown", layout, `"NOEXIST" + "STOPPED"`, `"NOEXIST"`,
			"STOPPED follows NOEXIST",
		},
		change{
			"wire/stop-swapped", layout, "if known {", "if !known {",
			"STOPPED alone says that there was such a node",
		},
		change{
			"wire/stop-parse", layout, "return false, len(stopUnknown), nil", "return true, len(stopUnknown), nil",
			"NOEXIST says that there was no such node",
		},
		change{
			"wire/stop-size", boundary, "return false, len(stopUnknown), nil", "return false, len(stopKnown), nil",
			"NOEXIST takes up 14 bytes with what follows",
		},
	)
	return append(kill, stop...)
}

// faults is the errors as values.
func faults() []mutation {
	return in("wire/fault.go",
		change{
			"wire/fault-unwrap", state, "return e.Fault }", "return nil }",
			"the fault is found in an error",
		},
		change{
			"wire/fault-labels", order, `"nul", "utf8",`, `"utf8", "nul",`,
			"a fault is counted under its own label",
		},
		change{
			"wire/field-names", order, `"name", "extra",`, `"extra", "name",`,
			"an error names its own field",
		},
		change{
			"wire/message-names", order, `"ALIVE2_REQ", "ALIVE2_RESP",`, `"ALIVE2_RESP", "ALIVE2_REQ",`,
			"an error names its own message",
		},
		change{
			"wire/fault-text", layout, `"holds a NUL byte"`, `"is not valid UTF-8"`,
			"an error says what is wrong",
		},
		change{
			"wire/fault-unknown", boundary, "if int(f) < len(faultLabels) {", "if int(f) <= len(faultLabels) {",
			"a number that is no fault has a label too",
		},
	)
}
