package main

// framing is what can go wrong with packets and their lengths.
func framing() []mutation {
	return in("wire/frame.go",
		change{
			"wire/length-late", boundary, "if len(b) < HeaderLen {", "if len(b) <= HeaderLen {",
			"a length is known, and a wrong one closes, as soon as its two bytes are there",
		},
		change{
			"wire/length-0", check, "if body < MinBodyLen || body > MaxBodyLen {", "if body > MaxBodyLen {",
			"a length of 0 closes",
		},
		change{
			"wire/length-1", boundary, "if body < MinBodyLen ||", "if body <= MinBodyLen ||",
			"a length of 1 is well formed",
		},
		change{
			"wire/length-3057", boundary, "|| body > MaxBodyLen {", "|| body >= MaxBodyLen {",
			"a length of 3057 is well formed",
		},
		change{
			"wire/length-3058", boundary, "|| body > MaxBodyLen {", "|| body > MaxBodyLen+1 {",
			"a length of 3058 closes",
		},
		change{
			"wire/length-endless", check, "if body < MinBodyLen || body > MaxBodyLen {", "if body < MinBodyLen {",
			"a length above 3057 closes",
		},
		change{
			"wire/length-order", layout, "body := int(binary.BigEndian.Uint16(b))", "body := int(binary.LittleEndian.Uint16(b))",
			"the length is read big-endian",
		},
		change{
			"wire/length-header", layout, "return HeaderLen + body, nil", "return body, nil",
			"the length field does not count itself",
		},
		change{
			"wire/excess-exact", boundary, "n > 0 && len(b) > n {", "n > 0 && len(b) >= n {",
			"a read of exactly one packet is answered",
		},
		change{
			"wire/excess-1", boundary, "n > 0 && len(b) > n {", "n > 0 && len(b) > n+1 {",
			"one byte too many in the read that made the length known closes",
		},
		change{
			"wire/excess-dropped", check, "n > 0 && len(b) > n {", "n > 0 && len(b) < 0 {",
			"bytes behind the packet in the read that made its length known close unanswered",
		},
		change{
			"wire/excess-keeps-length", answer, "return 0, errLengthExcess", "return n, errLengthExcess",
			"with an error no length is told",
		},
		change{
			"wire/append-packet-length", layout, "uint16(len(body)))", "uint16(len(body)+HeaderLen))",
			"a packet that is written counts its body alone",
		},
		change{
			"wire/append-packet-order", layout,
			"b = binary.BigEndian.AppendUint16(b, uint16(len(body)))", "b = binary.LittleEndian.AppendUint16(b, uint16(len(body)))",
			"the length is written big-endian",
		},
		change{
			"wire/append-empty", check, "case n < MinBodyLen:", "case n < 0:",
			"an empty packet is not written",
		},
		change{
			"wire/append-3057", boundary, "case n > MaxBodyLen:", "case n >= MaxBodyLen:",
			"a packet of 3057 bytes is written",
		},
		change{
			"wire/append-3058", boundary, "case n > MaxBodyLen:", "case n > MaxBodyLen+1:",
			"a packet of 3058 bytes is not written",
		},
		change{
			"wire/append-tagged-length", layout, "n := 1\n", "n := 0\n",
			"the length counts the tag",
		},
		change{
			"wire/append-tagged-first", layout, "b = append(b, byte(tag))", "b = append(b, byte(tag), 0)",
			"the fields begin right behind the tag",
		},
		change{
			"wire/body-tag", layout, "return Tag(body[0]), nil", "return Tag(body[len(body)-1]), nil",
			"the tag is the first byte of the body",
		},
	)
}
