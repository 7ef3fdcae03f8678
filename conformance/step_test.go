package conformance

import (
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseStep(t *testing.T) {
	tests := map[string]Step{
		"a opens":                        {kind: opens, conn: "a"},
		"a opens to ::1 from remote":     {kind: opens, conn: "a", route: Route{To: "::1", From: OutsideIPv6}},
		"a opens from 127.0.0.9":         {kind: opens, conn: "a", route: Route{From: "127.0.0.9"}},
		"a opens to outside from remote": {kind: opens, conn: "a", route: Route{To: OutsideIPv4, From: OutsideIPv4}},
		"b is refused to 127.0.0.5":      {kind: isRefused, conn: "b", route: Route{To: "127.0.0.5"}},
		"a -> 00 | 01":                   {kind: sends, conn: "a", segments: []Bytes{{{Bytes: []byte{0}}}, {{Bytes: []byte{1}}}}},
		"a <- nothing, open":             {kind: expects, conn: "a", state: "open"},
		"a <- 01, closed":                {kind: expects, conn: "a", state: "closed", want: Bytes{{Bytes: []byte{1}}}},
		"a <- nothing, closed 1s..2s":    {kind: expects, conn: "a", state: "closed", after: span{time.Second, 2 * time.Second}},
		"a half-closes":                  {kind: halfCloses, conn: "a"},
		"a closes":                       {kind: closes, conn: "a"},
		"a resets":                       {kind: resets, conn: "a"},
		"wait 500ms":                     {kind: waits, pause: 500 * time.Millisecond},
		"exits 1":                        {kind: exits, status: 1},
	}
	for line, want := range tests {
		want.text = line
		var got Step
		require.NoError(t, got.parse(line), line)
		require.Equal(t, want, got, line)
		require.Equal(t, line, got.String())
	}
	for _, line := range []string{
		"", "a", "a does", "a -> ", "a -> {fd}", "a -> 00 |", "a -> 00, open", "a <- 00", "a <- , open", "a <- 00, ajar",
		"a <- 00, open 1s..2s", "a <- 00, closed 2s..1s", "a <- 00, closed soon", "a closes now", "a is gone", "a opens at 1", "a opens to nowhere",
		"wait long", "exits well",
	} {
		var got Step
		require.Error(t, got.parse(line), line)
	}
}

func TestLoad(t *testing.T) {
	load := func(text string) ([]Scenario, error) {
		return Load(fstest.MapFS{"x.yaml": {Data: []byte(text)}})
	}
	const head = "area: x\nabout: this\nscenarios:\n"
	all, err := load(head + `
  - name: t-$tag
    each: {tag: 01 02, dec: 1 2}
    rule: the tag $dec closes
    steps: [a -> 0001 $tag, "a <- nothing, closed"]
    differs: [{since: 29, why: new, steps: ["a <- nothing, open"]}]
  - name: loop
    rule: many
    steps:
      - {for: i in 1..3, do: ['n$i -> ALIVE2_REQ(name=n$i)']}
  - name: command
    rule: prints
    steps:
      - {run: '-names "a b"', out: '"x" {anything}', status: 1}
`)
	require.NoError(t, err)
	require.Len(t, all, 4)
	require.Equal(t, "t-02", all[1].Name)
	require.Equal(t, "the tag 2 closes", all[1].Rule)
	require.Equal(t, "x", all[1].Area)
	require.Equal(t, "a -> 0001 02", all[1].Steps[0].String())
	require.Equal(t, all[1].Steps, all[1].At(27))
	require.Equal(t, "a <- nothing, open", all[1].At(29)[0].String())
	require.False(t, all[0].Daemon.Fresh)
	require.True(t, all[2].Daemon.Fresh)
	steps, err := all[2].Steps[0].round(2)
	require.NoError(t, err)
	require.Equal(t, "n2 -> ALIVE2_REQ(name=n2)", steps[0].String())
	require.Equal(t, []string{"-names", "a b"}, all[3].Steps[0].call.Args)

	b, err := json.Marshal(all)
	require.NoError(t, err)
	var again []Scenario
	require.NoError(t, json.Unmarshal(b, &again))
	require.Equal(t, all[3].Steps[0].String(), again[3].Steps[0].String())

	const good = "  - {name: a, rule: r, steps: ['a <- nothing, open']}\n"
	for name, text := range map[string]string{
		"no yaml":         "{",
		"another area":    "area: y\nabout: this\nscenarios:\n" + good,
		"no about":        "area: x\nscenarios:\n" + good,
		"unknown key":     "area: x\nabout: this\nthe: end\nscenarios:\n" + good,
		"twice":           head + good + good,
		"unknown field":   head + "  - {name: a, rule: r, step: [], steps: ['a <- nothing, open']}\n",
		"bad name":        head + "  - {name: A, rule: r, steps: ['a <- nothing, open']}\n",
		"no rule":         head + "  - {name: a, steps: ['a <- nothing, open']}\n",
		"no steps":        head + "  - {name: a, rule: r}\n",
		"looks at none":   head + "  - {name: a, rule: r, steps: [a opens]}\n",
		"uneven each":     head + "  - {name: a$b, each: {b: 1 2, c: 1}, rule: r, steps: ['a <- nothing, open']}\n",
		"bad step":        head + "  - {name: a, rule: r, steps: [a jumps]}\n",
		"bad loop":        head + "  - {name: a, rule: r, steps: [{for: i to 3, do: [a opens]}]}\n",
		"bad round":       head + "  - {name: a, rule: r, steps: [{for: i in 1..3, do: [a jumps]}]}\n",
		"differs no why":  head + "  - {name: a, rule: r, steps: ['a <- nothing, open'], differs: [{since: 29, steps: ['a <- nothing, open']}]}\n",
		"differs twice":   head + "  - {name: a, rule: r, steps: ['a <- nothing, open'], differs: [{since: 29, why: w, steps: ['a <- nothing, open']}, {since: 27, why: w, steps: ['a <- nothing, open']}]}\n",
		"bad expectation": head + "  - {name: a, rule: r, steps: [{run: -names, out: '{what}'}]}\n",
	} {
		_, err := load(text)
		require.ErrorIs(t, err, ErrScenario, name)
	}
}

// TestScenarios: the suite's own files are well-formed, and many.
func TestScenarios(t *testing.T) {
	all, err := Scenarios()
	require.NoError(t, err)
	for _, s := range all {
		require.NotEmpty(t, s.Why, "%s does not say why", s.Name)
	}
}
