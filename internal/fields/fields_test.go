package fields_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/internal/fields"
	"github.com/goepmd/goepmd/wire"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// covers fails unless the fields are the bytes, once and in order.
func covers(t *testing.T, b []byte, m fields.Message) {
	t.Helper()
	at := 0
	for _, f := range m.Fields {
		end := at + len(f.Bytes)
		if f.At != at || f.Name == "" || end == at || end > len(b) || !bytes.Equal(b[at:end], f.Bytes) {
			t.Fatalf("%x: %+v", b, f) // plainly, since it is asked a hundred thousand times
		}
		at = end
	}
	require.Equal(t, len(b), at, "%x", b)
}

// line is the fields in short.
func line(m fields.Message) string {
	var out []string
	for _, f := range m.Fields {
		out = append(out, f.Name+"="+f.Value)
	}
	return strings.Join(out, " ")
}

func TestRequests(t *testing.T) {
	for _, c := range []struct{ hex, name, line, label, otp string }{
		{
			"0014 78 99e9 4d 00 0006 0005 0007 61747269786965 0000", "ALIVE2_REQ",
			`length=20 tag=120 port=39401 type=77 protocol=0 highest=6 lowest=5 name length=7 name="atrixie" extra length=0`, "",
			"registers the node, unless the name is taken, answers ALIVE2_X_RESP (6 bytes)",
		},
		{
			"0010 78 99e9 48 00 0005 0005 0001 61 0001 ff aa", "ALIVE2_REQ",
			`length=16 tag=120 port=39401 type=72 protocol=0 highest=5 lowest=5 name length=1 name="a" extra length=1 extra=1 byte tail=1 byte`, "",
			"answers ALIVE2_RESP (4 bytes)",
		},
		{
			"000e 78 99e9 4d 00 0006 0005 0001 ff 0000", "ALIVE2_REQ",
			`length=14 tag=120 port=39401 type=77 protocol=0 highest=6 lowest=5 name length=1 name="\xff" extra length=0`, "name_utf8",
			"answers that it refuses, 760100000063, and keeps",
		},
		{
			"000e 78 99e9 4d 00 0006 0005 0001 00 0000", "ALIVE2_REQ",
			`length=14 tag=120 port=39401 type=77 protocol=0 highest=6 lowest=5 name length=1 name="\x00" extra length=0`, "nul", "unanswered",
		},
		{
			"000e 78 99e9 4d 00 0006 0005 0009 61 0000", "ALIVE2_REQ",
			`length=14 tag=120 port=39401 type=77 protocol=0 highest=6 lowest=5 name length=9 name=`, "short", "unanswered",
		},
		{"0002 7a 61", "PORT_PLEASE2_REQ", `length=2 tag=122 name="a"`, "", "answers a PORT2_RESP"},
		{"0003 7a 61 00", "PORT_PLEASE2_REQ", `length=3 tag=122 name="a" terminator=1 byte`, "", "PORT2_RESP"},
		{"0001 7a", "PORT_PLEASE2_REQ", `length=1 tag=122`, "empty", "unanswered"},
		{"0001 6e", "NAMES_REQ", `length=1 tag=110`, "", "each registered node"},
		{"0003 6e 0102", "NAMES_REQ", `length=3 tag=110 tail=2 bytes`, "", "each registered node"},
		{"0001 64", "DUMP_REQ", `length=1 tag=100`, "", "remembered"},
		{"0001 6b", "KILL_REQ", `length=1 tag=107`, "", "else NO"},
		{"0004 73 61 00 62", "STOP_REQ", `length=4 tag=115 name="a" tail=2 bytes`, "", "-relaxed_command_check"},
		{"0001 73", "STOP_REQ", `length=1 tag=115`, "empty", "unanswered"},
		{"0001 51", "", `length=1 tag=81`, "tag", "unanswered"},
		{"0001 6e ff", "NAMES_REQ", `length=1 tag=110 excess=1 byte`, "excess", "unanswered"},
		{"0000", "", `length=0`, "size", "unanswered"},
		{"ffff 6e", "NAMES_REQ", `length=65535 tag=110`, "size", "unanswered"},
		{"00", "", `length=`, "incomplete", "waits"},
		{"", "", ``, "incomplete", "waits"},
		{"0005 7a 61", "PORT_PLEASE2_REQ", `length=5 tag=122 name="a"`, "incomplete", "waits"},
		{
			"0016 58 1f90 4d 08 696e65745f746c73 0006 0005 0001 61 0000", "ALIVE3_REQ",
			`length=22 tag=88 port=8080 type=77 transport length=8 transport="inet_tls" highest=6 lowest=5 name length=1 name="a" extra length=0`, "",
			"multi-transport extension",
		},
		{
			"000b 5a 00 01 0004 03 756473 01 61", "PORT_PLEASE3_REQ",
			`length=11 tag=90 zero=0 count=1 list length=4 transport length=3 transport="uds" name length=1 name="a"`, "", "extension",
		},
		{"0001 4e", "NAMES3_REQ", "length=1 tag=78", "", "extension"},
		{"0001 44", "DUMP3_REQ", "length=1 tag=68", "", "extension"},
		{"0001 4b", "KILL3_REQ", "length=1 tag=75", "", "extension"},
		{"0002 53 61", "STOP3_REQ", `length=2 tag=83 name="a"`, "", "extension"},
	} {
		b := unhex(t, c.hex)
		m := fields.Request(b)
		covers(t, b, m)
		require.Equal(t, c.name, m.Name, c.hex)
		require.Equal(t, c.line, line(m), c.hex)
		require.Equal(t, c.label, m.Label, "%s: %s", c.hex, m.Fault)
		require.Equal(t, c.label == "", m.Fault == "", c.hex)
		require.Contains(t, m.OTP, c.otp, c.hex)
	}
}

func TestReplies(t *testing.T) {
	names := string(wire.AppendNameLine(wire.AppendListPort(nil, 4369), "a", 80))
	dump := string(wire.AppendOldLine(wire.AppendActiveLine(wire.AppendListPort(nil, 4369), "a", 80, 7), "b", 81, 8))
	for _, c := range []struct {
		b                 string
		to                wire.Tag
		name, line, label string
	}{
		{"\x76\x00\x00\x00\x00\x05", 'x', "ALIVE2_X_RESP", "tag=118 result=0 creation=5", ""},
		{"\x79\x01\x00\x63", 'x', "ALIVE2_RESP", "tag=121 result=1 creation=99", ""},
		{"\x79\x01", 'x', "ALIVE2_RESP", "tag=121 result=1", "incomplete"},
		{"\x79\x00\x00\x01z", 'x', "ALIVE2_RESP", "tag=121 result=0 creation=1 unknown=1 byte", "excess"},
		{"what", 'x', "", "unknown=4 bytes", "tag"},
		{"\x77\x01", 'z', "PORT2_RESP", "tag=119 result=1", ""},
		{
			string(wire.Node{Name: "a", Port: 80, Type: 77, Highest: 6, Lowest: 5, Extra: "xy"}.AppendPort2Resp(nil)), 'z', "PORT2_RESP",
			`tag=119 result=0 port=80 type=77 protocol=0 highest=6 lowest=5 name length=1 name="a" extra length=2 extra=2 bytes`, "",
		},
		{names, 'n', "NAMES_RESP", `port of EPMD=4369 text="name " name="a" text=" at port " port=80 text="\n"`, ""},
		{names + "x", 'n', "NAMES_RESP", `port of EPMD=4369 unknown=19 bytes`, "syntax"},
		{
			dump, 'd', "DUMP_RESP", `port of EPMD=4369 text="active name     <" name="a" text="> at port " port=80 text=", fd = " number=7 text="\n\x00" ` +
				`text="old/unused name <" name="b" text=">, port = " port=81 text=", fd = " number=8 text=" \n\x00"`, "",
		},
		{dump + "?", 'd', "DUMP_RESP", "", "syntax"},
		{"OK", 'k', "KILL_RESP", `text="OK"`, ""},
		{"NOEXISTSTOPPED", 's', "STOP_RESP", `text="NOEXISTSTOPPED"`, ""},
		{"STOPPED", 's', "STOP_RESP", `text="STOPPED"`, ""},
		{"perhaps", 's', "STOP_RESP", `unknown=7 bytes`, "syntax"},
		{"\x00\x04y\x00\x00\x03", 'X', "ALIVE3_RESP", "length=4 tag=121 result=0 creation=3", ""},
		{"\x00\x06v\x01\x00\x00\x00\x63", 'X', "ALIVE3_RESP", "length=6 tag=118 result=1 creation=99", ""},
		{"\x00\x20v\x01", 'X', "ALIVE3_RESP", "length=32 part=2 bytes", "incomplete"},
		{"\x00\x02w\x01", 'Z', "PORT3_RESP", "length=2 tag=119 result=1", ""},
		{
			"\x00\x17w\x00\x00\x00\x01\x00\x06\x1f\x90\x03udsM\x00\x06\x00\x05\x00\x01a\x00\x00", 'Z', "PORT3_RESP",
			`length=23 tag=119 result=0 zero=0 count=1 list length=6 port=8080 transport length=3 transport="uds" type=77 highest=6 lowest=5 name length=1 name="a" extra length=0`, "",
		},
		{
			"\x00\x08\x01\x00\x00\x11\x11ab\n\x00\x03\x00c\n", 'N', "NAMES3_RESP",
			`length=8 more=1 port of EPMD=4369 line="ab\n" length=3 more=0 line="c\n"`, "",
		},
		{"\x00\x02OK", 'K', "KILL3_RESP", `length=2 text="OK"`, ""},
		{"?", 'q', "", "unknown=1 byte", ""},
	} {
		m := fields.Reply([]byte(c.b), c.to)
		covers(t, []byte(c.b), m)
		require.Equal(t, c.name, m.Name, "%q", c.b)
		if c.line != "" {
			require.Equal(t, c.line, line(m), "%q", c.b)
		}
		require.Equal(t, c.label, m.Label, "%q: %s", c.b, m.Fault)
		require.Equal(t, c.label == "" && c.to != 'q', m.Fault == "", "%q", c.b)
		require.Empty(t, m.OTP)
		if m.Fault == "" && c.to != 'K' && c.to != 'N' {
			require.Equal(t, c.name, fields.Guess([]byte(c.b)).Name, "%q", c.b)
		}
	}
	require.Equal(t, "NAMES_REQ", fields.Guess([]byte("\x00\x01n")).Name)
	require.Equal(t, "incomplete", fields.Guess(nil).Label)
}

// TestScenarios: whatever the conformance suite sends, each byte has its name, whole and
// cut at any place; and so has every byte taken for a reply.
func TestScenarios(t *testing.T) {
	all, err := conformance.Scenarios()
	require.NoError(t, err)
	named, seen := 0, make(map[string]bool)
	for _, s := range all {
		flat, err := s.Flat()
		require.NoError(t, err)
		for _, step := range flat.Steps {
			for _, h := range step.Send {
				if seen[h] {
					continue
				}
				seen[h] = true
				b := unhex(t, h)
				const most = 24 // of the long ones every byte is not worth its time
				for n := range min(len(b), most) + 1 {
					covers(t, b[:n], fields.Request(b[:n]))
					covers(t, b[:n], fields.Guess(b[:n]))
				}
				m := fields.Request(b)
				covers(t, b, m)
				require.NotEmpty(t, m.OTP, h)
				if m.Name != "" {
					named++
				}
				for _, tag := range []byte("xzndksXZNDKS?") {
					covers(t, b, fields.Reply(b, wire.Tag(tag)))
				}
			}
		}
	}
	require.Greater(t, named, 200)
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(fields.Request([]byte("\x00\x01n")).Fields[1])
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"tag","at":2,"bytes":"6e","value":"110","note":"NAMES_REQ"}`, string(b))
}
