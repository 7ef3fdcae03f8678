package differ

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/wire"
)

// TestScenario: what is recorded of a daemon is a scenario of the suite that says the
// same.
func TestScenario(t *testing.T) {
	frame := func(body string) []byte { return append([]byte{0, byte(len(body))}, body...) }
	register := frame("x\x03\xe8M\x00\x00\x06\x00\x05\x00\x03foo\x00\x00")
	old := frame("x\x03\xe8M\x00\x00\x05\x00\x05\x00\x03bar\x00\x00")
	c := Conversation{Steps: []Step{
		{Conn: 0, Kind: Open},
		{Conn: 0, Kind: Send, Bytes: register[:5]}, {Conn: 0, Kind: Send, Bytes: register[5:]},
		{Conn: 1, Kind: Send, Bytes: register},
		{Conn: 2, Kind: Send, Bytes: old},
		{Conn: 3, Kind: Send, Bytes: frame("n")},
		{Conn: 3, Kind: Send, Bytes: frame("d")},
		{Conn: 0, Kind: Close},
		{Conn: 0, Kind: Send, Bytes: register},
		{Conn: 4, Kind: HalfClose},
		{Conn: 6, Kind: Send, Bytes: frame("sfoo")},
		{Conn: 5, Kind: Send, Bytes: frame("k")},
		{Conn: 7, Kind: Send, Bytes: frame("n")},
	}}
	text, err := Scenario(NewSim(true, wire.Standard), c, "-relaxed_command_check")
	require.NoError(t, err)
	for _, line := range []string{
		"- c0 opens\n", "- c0 -> 00107803e8\n", "flags: [-relaxed_command_check]", "- c0 <- 7600 {creation:n1}, open",
		"- c1 <- 760100000063, open", "- c2 <- 7900 {creation2:n2}, open",
		`c3 <- {port} "name bar at port 1000\nname foo at port 1000\n", closed`, "- c3 opens\n", `, fd = " {fd} "\n\x00`,
		"c0 <- 7600 {creation:n1+1}, open", `c5 <- 4f4b, closed`, "- exits 0",
	} {
		require.Contains(t, text, line, text)
	}
	all, err := conformance.Load(fstest.MapFS{"x.yaml": {Data: []byte("area: x\nabout: this\nscenarios:\n" + indent(text))}})
	require.NoError(t, err, text)
	require.Len(t, all, 1)
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ") + "\n"
}
