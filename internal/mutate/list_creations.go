package main

// creations is the counters of the names and what nodes are told of them.
func creations() []mutation {
	rules := in("registry/creation.go",
		change{
			"registry/counter-floor-3", boundary, "const lowestCounter = 4", "const lowestCounter = 3",
			"a counter is never below 4",
		},
		change{
			"registry/counter-floor-5", boundary, "const lowestCounter = 4", "const lowestCounter = 5",
			"a counter may be 4",
		},
		change{
			"registry/counter-floor-dropped", check, "return max(c+1, lowestCounter)", "return c + 1",
			"a counter that wraps around goes on at 4",
		},
		change{
			"registry/counter-floor-before", order, "return max(c+1, lowestCounter)", "return max(c, lowestCounter) + 1",
			"one is added before the lowest value counts",
		},
		change{
			"registry/counter-bump-0", counter, "return max(c+1, lowestCounter)", "return max(c, lowestCounter)",
			"a counter goes up",
		},
		change{
			"registry/counter-bump-2", counter, "return max(c+1, lowestCounter)", "return max(c+2, lowestCounter)",
			"a counter goes up by one",
		},
		change{
			"registry/counter-first", counter, "return nextCounter(uint32(now.Unix()))", "return max(uint32(now.Unix()), lowestCounter)",
			"a name that was never seen begins at the time plus one",
		},
		change{
			"registry/counter-first-floor", counter, "return nextCounter(uint32(now.Unix()))", "return uint32(now.Unix()) + 1",
			"the first counter is not below 4 either",
		},
		change{
			"registry/counter-first-unit", counter, "uint32(now.Unix())", "uint32(now.UnixMilli())",
			"the first counter is the time in seconds",
		},
		change{
			"registry/creation-version-6", boundary, "if highest >= wire.Highest32BitCreation {", "if highest > wire.Highest32BitCreation {",
			"a node of version 6 is told the whole counter",
		},
		change{
			"registry/creation-version-5", check, "if highest >= wire.Highest32BitCreation {", "if highest >= wire.Highest32BitCreation-1 {",
			"a node of version 5 is told 1 to 3",
		},
		change{
			"registry/creation-mod-2", counter, "return counter%3 + 1", "return counter%2 + 1",
			"older nodes are told one of three creations",
		},
		change{
			"registry/creation-mod-zero", counter, "return counter%3 + 1", "return counter % 3",
			"older nodes are never told 0",
		},
		change{
			"registry/creation-mod-before", order, "return counter%3 + 1", "return (counter + 1) % 3",
			"one is added after the remainder",
		},
	)
	lives := in("registry/registry.go",
		change{
			"registry/remembered-bump-missing", counter, "c.counter = nextCounter(c.counter)\n", "",
			"a remembered name goes on with its counter plus one",
		},
		change{
			"registry/remembered-starts-again", counter, "c.counter = nextCounter(c.counter)\n", "c.counter = firstCounter(now)\n",
			"a remembered name goes on with its own counter",
		},
		change{
			"registry/takeover-bumps", counter, "c = r.old.first\n", "c = r.old.first\n\t\tc.counter = nextCounter(c.counter)\n",
			"a record that is taken over keeps its counter as it stands",
		},
		change{
			"registry/takeover-starts-again", counter, "c = r.old.first\n", "c = r.old.first\n\t\tc.counter = firstCounter(now)\n",
			"a new name takes over the counter with the record",
		},
		change{
			"registry/takeover-newest", order, "c = r.old.first\n", "c = r.old.last\n",
			"a new name takes over the record of the oldest",
		},
		change{
			"registry/takeover-early", boundary, "case r.old.n > r.remember:", "case r.old.n >= r.remember:",
			"as many names as were asked for are remembered",
		},
		change{
			"registry/takeover-late", boundary, "case r.old.n > r.remember:", "case r.old.n > r.remember+1:",
			"a name is taken over as soon as more are remembered than were asked for",
		},
		change{
			"registry/takeover-never", check, "case r.old.n > r.remember:", "case r.old.n < 0:",
			"only so many names are remembered",
		},
		change{
			"registry/takeover-counts-all", check, "case r.old.n > r.remember:", "case r.old.n > 0 && r.old.n+r.live.n > r.remember:",
			"registered nodes do not count as remembered",
		},
		change{
			"registry/remember-999", boundary, "DefaultRemember = 1000", "DefaultRemember = 999",
			"1000 names are remembered",
		},
		change{
			"registry/remember-4", boundary, "DebugRemember   = 5", "DebugRemember   = 4",
			"5 names are remembered with -d",
		},
		change{
			"registry/remember-default", state, "r.remember = DefaultRemember", "r.remember = DebugRemember",
			"without being told, the registry remembers as OTP does",
		},
		change{
			"registry/remember-negative", check, "case r.remember < 0:\n\t\tr.remember = 0\n", "",
			"a negative number remembers none",
		},
		change{
			"registry/register-tells-counter", counter, "return c.creation(), nil", "return c.counter, nil",
			"older nodes are told 1 to 3 of the counter",
		},
	)
	return append(rules, lives...)
}
