package report

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// holes is a pattern with holes whose length depends.
var holes = conformance.Bytes{
	{Field: "epmd port", Hole: conformance.Hole{Kind: conformance.OwnPort}},
	{Bytes: []byte("fd = ")}, {Field: "fd", Hole: conformance.Hole{Kind: conformance.Digits}},
	{Bytes: []byte("\n")}, {Hole: conformance.Hole{Kind: conformance.Rest}},
}

// row is what a test looks at of a run.
type row struct {
	field, hole, want, got string
	at, size, bad          int
}

func rows(runs []run) []row {
	var out []row
	for _, r := range runs {
		out = append(out, row{r.field, r.hole, string(r.want), string(r.got), r.at, r.size, r.firstBad()})
	}
	return out
}

func TestSides(t *testing.T) {
	reply := creation("x", 1)
	for name, c := range map[string]struct {
		want conformance.Bytes
		got  string
		at   int
		rows []row
	}{
		"alike": {reply, "v\x00\x01\x02\x03\x04", 6, []row{
			{"tag", "", "v", "v", 0, 1, -1}, {"result", "", "\x00", "\x00", 1, 1, -1}, {"creation", "{creation:x+1}", "", "\x01\x02\x03\x04", 2, 4, -1}}},
		"another creation": {reply, "v\x00\x01\x02\x03\x04", 2, []row{
			{"tag", "", "v", "v", 0, 1, -1}, {"result", "", "\x00", "\x00", 1, 1, -1}, {"creation", "{creation:x+1}", "", "\x01\x02\x03\x04", 2, 4, 0}}},
		"too short": {reply, "v\x00\x01", 3, []row{
			{"tag", "", "v", "v", 0, 1, -1}, {"result", "", "\x00", "\x00", 1, 1, -1}, {"creation", "{creation:x+1}", "", "\x01", 2, 4, 0}}},
		"nothing came":        {reply[:2], "", 0, []row{{"tag", "", "v", "", 0, 1, 0}, {"result", "", "\x00", "", 0, 1, 0}}},
		"nothing had to come": {nil, "ab", 0, []row{{"too many", "", "", "ab", 0, 2, 0}}},
		"too many":            {reply[:1], "vx", 1, []row{{"tag", "", "v", "v", 0, 1, -1}, {"too many", "", "", "x", 1, 1, 0}}},
		"holes of any length": {holes, "\x00\x00\x11\x11fd = 12\nmore", 16, []row{
			{"epmd port", "{port}", "", "\x00\x00\x11\x11", 0, 4, -1}, {"", "", "fd = ", "fd = ", 4, 5, -1}, {"fd", "{fd}", "", "12", 9, 2, -1},
			{"", "", "\n", "\n", 11, 1, -1}, {"", "{anything}", "", "more", 12, 4, -1}}},
		"no digits":                 {holes[2:3], "", 0, []row{{"fd", "{fd}", "", "", 0, 1, 0}}},
		"neighbours without a name": {conformance.Bytes{{Bytes: []byte("a")}, {Bytes: []byte("b")}}, "ac", 1, []row{{"", "", "ab", "ac", 0, 2, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.rows, rows(sides(c.want, []byte(c.got), c.at)))
		})
	}
	require.Equal(t, []row{{"tag", "", "v", "v", 0, 1, -1}}, rows(sent(reply[:1])))
}

func TestWindow(t *testing.T) {
	long := func(bad int) []run {
		got := bytes.Repeat([]byte("n"), 3000)
		if bad >= 0 {
			got[bad] = 'x'
		}
		return sides(conformance.Bytes{{Field: "head", Bytes: []byte("nn")}, {Field: "body", Bytes: bytes.Repeat([]byte("n"), 2998)}}, got, bad)
	}
	for name, c := range map[string]struct {
		bad, room, before, after int
		fields                   []string
	}{
		"alike":             {-1, 512, 0, 2488, []string{"head", "body"}},
		"bad at the start":  {1, 512, 0, 2488, []string{"head", "body"}},
		"bad in the middle": {2000, 512, 1872, 616, []string{"body"}},
		"bad at the end":    {2999, 512, 2488, 0, []string{"body"}},
		"room for all":      {2999, 5000, 0, 0, []string{"head", "body"}},
	} {
		t.Run(name, func(t *testing.T) {
			kept, before, after := window(long(c.bad), c.room)
			require.Equal(t, []int{c.before, c.after}, []int{before, after})
			require.Equal(t, 3000, before+after+total(kept))
			var fields []string
			bad := -1
			for _, r := range kept {
				fields = append(fields, r.field)
				if i := r.firstBad(); i >= 0 {
					bad = r.at + i
				}
			}
			require.Equal(t, c.fields, fields)
			require.Equal(t, c.bad, bad)
		})
	}
}
