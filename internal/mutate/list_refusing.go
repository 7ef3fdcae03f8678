package main

// refusing is who is not registered, and why.
func refusing() []mutation {
	return in("registry/refusal.go",
		change{
			"registry/name-1020-bytes", boundary, "case len(name) > wire.MaxNameBytes:", "case len(name) >= wire.MaxNameBytes:",
			"a name of 1020 bytes is registered",
		},
		change{
			"registry/name-1021-bytes", boundary, "case len(name) > wire.MaxNameBytes:", "case len(name) > wire.MaxNameBytes+1:",
			"a name of 1021 bytes is refused for its bytes",
		},
		change{
			"registry/name-utf8", check, "case !utf8.ValidString(name):", "case false:",
			"a name that is not UTF-8 is refused",
		},
		change{
			"registry/name-255-chars", boundary, "utf8.RuneCountInString(name) > wire.MaxNameChars:", "utf8.RuneCountInString(name) >= wire.MaxNameChars:",
			"a name of 255 characters is registered",
		},
		change{
			"registry/name-256-chars", boundary, "utf8.RuneCountInString(name) > wire.MaxNameChars:", "utf8.RuneCountInString(name) > wire.MaxNameChars+1:",
			"a name of 256 characters is refused",
		},
		change{
			"registry/name-chars-are-bytes", check, "utf8.RuneCountInString(name) > wire.MaxNameChars:", "len(name) > wire.MaxNameChars:",
			"the limit of 255 counts characters and not bytes",
		},
		change{
			"registry/extra-1020", boundary, "case len(extra) > wire.MaxExtraBytes:", "case len(extra) >= wire.MaxExtraBytes:",
			"an extra field of 1020 bytes is registered",
		},
		change{
			"registry/extra-1021", boundary, "case len(extra) > wire.MaxExtraBytes:", "case len(extra) > wire.MaxExtraBytes+1:",
			"an extra field of 1021 bytes is refused",
		},
		change{
			"registry/extra-utf8", check, "case len(extra) > wire.MaxExtraBytes:", "case len(extra) > wire.MaxExtraBytes || !utf8.ValidString(extra):",
			"the extra field may hold any bytes",
		},
		change{
			"registry/name-empty", check, "case len(name) > wire.MaxNameBytes:", "case len(name) > wire.MaxNameBytes || name == \"\":",
			"the empty name can be registered",
		},
		change{
			"registry/check-nil", check, "if why := check(name, extra); why != 0 {", "if why := check(name, extra); why >= 0 {",
			"what is within the limits is no error",
		},
		change{
			"registry/refusal-label", layout, `return "name_bytes"`, `return "name_chars"`,
			"a refusal is counted under its own label",
		},
		change{
			"registry/refusal-text", layout, `strconv.Itoa(wire.MaxNameChars) + " characters"`, `strconv.Itoa(wire.MaxNameBytes) + " characters"`,
			"a refusal tells the limit",
		},
	)
}
