package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestNamesReq(t *testing.T) {
	tagOnly{
		message: wire.MessageNamesReq, tag: 110,
		parse: func(body []byte) ([]byte, error) {
			req, err := wire.ParseNamesReq(body)
			return req.Tail, err
		},
		append: func(b, tail []byte) ([]byte, error) { return wire.NamesReq{Tail: tail}.Append(b) },
	}.test(t)
}

func TestListPort(t *testing.T) {
	for _, c := range []struct {
		reply string
		port  uint32
		lines string
	}{
		{"00001111", wire.DefaultPort, ""},
		{"00000000", 0, ""},
		{"ffffffff", 0xffffffff, ""},
		{"01020304 6e616d65 00", 0x01020304, "name\x00"},
	} {
		reply := unhex(c.reply)
		require.Equal(t, "before"+string(reply[:4]), string(wire.AppendListPort([]byte("before"), c.port)))

		port, lines, err := wire.ParseListPort(reply)
		require.NoError(t, err)
		require.Equal(t, c.port, port)
		require.Equal(t, c.lines, string(lines))

		for end := range 4 {
			port, lines, err := wire.ParseListPort(reply[:end])
			requireFault(t, err, wire.Error{
				Message: wire.MessageNamesResp, Field: wire.FieldPort, Fault: wire.FaultIncomplete,
			})
			require.Zero(t, port)
			require.Nil(t, lines)
		}
	}
}

type namePort struct {
	name string
	port uint16
}

// nameLines reads all lines, and the error behind the last good one.
func nameLines(t *testing.T, lines string) (got []namePort, fault error) {
	t.Helper()
	for line, err := range wire.NameLines([]byte(lines)) {
		require.NoError(t, fault, "the error is the last that is yielded")
		if err != nil {
			require.Zero(t, line)
			fault = err
			continue
		}
		require.Len(t, line.Name, cap(line.Name))
		got = append(got, namePort{string(line.Name), line.Port})
	}
	return got, fault
}

func TestNameLines(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		want        []namePort
	}{
		{"none", "", nil},
		{"one", "name foo at port 1000\n", []namePort{{"foo", 1000}}},
		{
			"several", "name c at port 3\nname b at port 2\nname a at port 1\n",
			[]namePort{{"c", 3}, {"b", 2}, {"a", 1}},
		},
		{"empty name", "name  at port 1\n", []namePort{{"", 1}}},
		{"empty names", "name  at port 1\nname  at port 2\n", []namePort{{"", 1}, {"", 2}}},
		{"port 0", "name a at port 0\n", []namePort{{"a", 0}}},
		{"highest port", "name a at port 65535\n", []namePort{{"a", 65535}}},
		{"line break", "name a\nb at port 1\n", []namePort{{"a\nb", 1}}},
		{"line break last", "name a\n at port 1\n", []namePort{{"a\n", 1}}},
		{"a port", "name a at port 5 at port 1\n", []namePort{{"a at port 5", 1}}},
		{"a port only", "name  at port 5 at port 1\n", []namePort{{" at port 5", 1}}},
		{"half a port, overlapping", "name a at port  at port 1\n", []namePort{{"a at port ", 1}}},
		{"a port too high", "name a at port 65536\n at port 1\n", []namePort{{"a at port 65536\n", 1}}},
		{"a line's end", "name a at port 5\nb at port 1\n", []namePort{{"a at port 5\nb", 1}}},
		{"a line's begin", "name name  at port 1\n", []namePort{{"name ", 1}}},
		{"bytes of any value", "name \x00\xff at port 1\n", []namePort{{"\x00\xff", 1}}},
		{
			"among others", "name a\nb at port 2\nname c at port 3\n",
			[]namePort{{"a\nb", 2}, {"c", 3}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := nameLines(t, c.lines)
			require.NoError(t, err)
			require.Equal(t, c.want, got)

			b := []byte{}
			for _, n := range c.want {
				b = wire.AppendNameLine(b, n.name, n.port)
			}
			require.Equal(t, c.lines, string(b))
		})
	}
}

// A name that holds a whole line cannot be told from two names.
func TestNameLinesWithALineInside(t *testing.T) {
	const name = "a at port 1\nname b"
	got, err := nameLines(t, string(wire.AppendNameLine(nil, name, 2)))
	require.NoError(t, err)
	require.Equal(t, []namePort{{"a", 1}, {"b", 2}}, got)

	const looksLikeOne = "abcdefghi5\nname b" // but has no port before its line break
	got, err = nameLines(t, string(wire.AppendNameLine(nil, looksLikeOne, 2)))
	require.NoError(t, err)
	require.Equal(t, []namePort{{looksLikeOne, 2}}, got)
}

func TestNameLinesFaults(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		before      []namePort // the good lines before the bad one
	}{
		{"garbage", "garbage", nil},
		{"garbage in front", "x name a at port 1\n", nil},
		{"line break in front", "\nname a at port 1\n", nil},
		{"garbage behind", "name a at port 1\ngarbage", nil}, // the line may go on
		{"no line break at the end", "name a at port 1", nil},
		{"no line break at the second's end", "name a at port 1\nname b at port 2", []namePort{{"a", 1}}},
		{"cut within the second's port", "name a at port 1\nname b at port ", []namePort{{"a", 1}}},
		{"cut behind the second's begin", "name a at port 1\nname ", []namePort{{"a", 1}}},
		{"begin only", "name ", nil},
		{"one byte", "n", nil},
		{"colon behind the port", "name a at port 1:\n", nil},
		{"no port", "name a at port \n", nil},
		{"no number", "name a at port x\n", nil},
		{"sign", "name a at port +1\n", nil},
		{"negative", "name a at port -1\n", nil},
		{"port 65536", "name a at port 65536\n", nil},
		{"port 655350", "name a at port 655350\n", nil},
		{"port of 20 digits", "name a at port 18446744073709551617\n", nil},
		{"leading zero", "name a at port 01\n", nil},
		{"leading zeros", "name a at port 00\n", nil},
		{"blank behind the port", "name a at port 1 \n", nil},
		{"carriage return", "name a at port 1\r\n", nil},
		{"upper case", "NAME a AT PORT 1\n", nil},
		{"NUL behind", "name a at port 1\n\x00", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := nameLines(t, c.lines)
			requireFault(t, err, wire.Error{
				Message: wire.MessageNamesResp, Field: wire.FieldLine, Fault: wire.FaultSyntax,
			})
			require.Equal(t, c.before, got)
		})
	}
}

func TestNameLinesCut(t *testing.T) {
	const first, second = "name foo at port 10\n", "name bar at port 20\n"
	const lines = first + second
	for end := range len(lines) {
		got, err := nameLines(t, lines[:end])
		switch {
		case end == 0:
			require.NoError(t, err)
			require.Empty(t, got)
		case end == len(first):
			require.NoError(t, err)
			require.Equal(t, []namePort{{"foo", 10}}, got)
		default:
			requireFault(t, err, wire.Error{
				Message: wire.MessageNamesResp, Field: wire.FieldLine, Fault: wire.FaultSyntax,
			})
			if end < len(first)+len("name ") {
				require.Empty(t, got)
			} else {
				require.Equal(t, []namePort{{"foo", 10}}, got)
			}
		}
	}
}

func TestNameLinesBreak(t *testing.T) {
	lines := []byte("name a at port 1\nname b at port 2\ngarbage")
	seq := wire.NameLines(lines)
	for range 2 { // the iterator begins anew each time
		n := 0
		for line, err := range seq {
			require.NoError(t, err)
			require.Equal(t, "a", string(line.Name))
			n++
			break
		}
		require.Equal(t, 1, n)
	}
}

func TestAppendNameLine(t *testing.T) {
	type named string
	type bytes []byte
	const want = "before" + "name foo at port 1000\n"
	assert.Equal(t, want, string(wire.AppendNameLine([]byte("before"), "foo", 1000)))
	assert.Equal(t, want, string(wire.AppendNameLine([]byte("before"), named("foo"), 1000)))
	assert.Equal(t, want, string(wire.AppendNameLine([]byte("before"), []byte("foo"), 1000)))
	assert.Equal(t, want, string(wire.AppendNameLine([]byte("before"), bytes("foo"), 1000)))
}

func TestNameLineOverhead(t *testing.T) {
	name := strings.Repeat("n", wire.MaxNameBytes)
	require.Len(t, wire.AppendNameLine(nil, name, 65535), len(name)+wire.NameLineOverhead)
}
