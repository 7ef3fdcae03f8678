package wire_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestDumpReq(t *testing.T) {
	tagOnly{
		message: wire.MessageDumpReq, tag: 100,
		parse: func(body []byte) ([]byte, error) {
			req, err := wire.ParseDumpReq(body)
			return req.Tail, err
		},
		append: func(b, tail []byte) ([]byte, error) { return wire.DumpReq{Tail: tail}.Append(b) },
	}.test(t)
}

type dumpLine struct {
	active bool
	name   string
	port   uint16
	fd     uint64
}

// dumpLines reads all lines, and the error behind the last good one.
func dumpLines(t *testing.T, lines string) (got []dumpLine, fault error) {
	t.Helper()
	for line, err := range wire.DumpLines([]byte(lines)) {
		require.NoError(t, fault, "the error is the last that is yielded")
		if err != nil {
			require.Zero(t, line)
			fault = err
			continue
		}
		require.Len(t, line.Name, cap(line.Name))
		got = append(got, dumpLine{line.Active, string(line.Name), line.Port, line.FD})
	}
	return got, fault
}

func TestDumpLines(t *testing.T) {
	const active, old = true, false
	for _, c := range []struct {
		name, lines string
		want        []dumpLine
	}{
		{"none", "", nil},
		{"active", "active name     <foo> at port 1000, fd = 7\n\x00", []dumpLine{{active, "foo", 1000, 7}}},
		{"old", "old/unused name <foo>, port = 1000, fd = 7 \n\x00", []dumpLine{{old, "foo", 1000, 7}}},
		{
			"several", "active name     <b> at port 2, fd = 20\n\x00" +
				"active name     <a> at port 1, fd = 10\n\x00" +
				"old/unused name <c>, port = 3, fd = 30 \n\x00" +
				"old/unused name <d>, port = 4, fd = 40 \n\x00",
			[]dumpLine{{active, "b", 2, 20}, {active, "a", 1, 10}, {old, "c", 3, 30}, {old, "d", 4, 40}},
		},
		{
			"empty names", "active name     <> at port 1, fd = 2\n\x00old/unused name <>, port = 3, fd = 4 \n\x00",
			[]dumpLine{{active, "", 1, 2}, {old, "", 3, 4}},
		},
		{"port 0, FD 0", "active name     <a> at port 0, fd = 0\n\x00", []dumpLine{{active, "a", 0, 0}}},
		{
			"highest port and FD, active", "active name     <a> at port 65535, fd = 18446744073709551615\n\x00",
			[]dumpLine{{active, "a", 65535, math.MaxUint64}},
		},
		{
			"highest port and FD, old", "old/unused name <a>, port = 65535, fd = 18446744073709551615 \n\x00",
			[]dumpLine{{old, "a", 65535, math.MaxUint64}},
		},
		{
			"line break", "active name     <a\nb> at port 1, fd = 2\n\x00",
			[]dumpLine{{active, "a\nb", 1, 2}},
		},
		{
			"a port, active", "active name     <a> at port 5> at port 1, fd = 2\n\x00",
			[]dumpLine{{active, "a> at port 5", 1, 2}},
		},
		{
			"a port, old", "old/unused name <a>, port = 5>, port = 1, fd = 2 \n\x00",
			[]dumpLine{{old, "a>, port = 5", 1, 2}},
		},
		{
			"a whole line, active",
			"active name     <active name     <a> at port 5, fd = 6\n> at port 1, fd = 2\n\x00",
			[]dumpLine{{active, "active name     <a> at port 5, fd = 6\n", 1, 2}},
		},
		{
			"a whole line, old",
			"old/unused name <old/unused name <a>, port = 5, fd = 6 \n>, port = 1, fd = 2 \n\x00",
			[]dumpLine{{old, "old/unused name <a>, port = 5, fd = 6 \n", 1, 2}},
		},
		{"not UTF-8", "active name     <\xff> at port 1, fd = 2\n\x00", []dumpLine{{active, "\xff", 1, 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := dumpLines(t, c.lines)
			require.NoError(t, err)
			require.Equal(t, c.want, got)

			b := []byte{}
			for _, n := range c.want {
				if n.active {
					b = wire.AppendActiveLine(b, n.name, n.port, n.fd)
				} else {
					b = wire.AppendOldLine(b, n.name, n.port, n.fd)
				}
			}
			require.Equal(t, c.lines, string(b))
		})
	}
}

func TestDumpLinesFaults(t *testing.T) {
	for _, c := range []struct{ name, line string }{
		{"NUL only", "\x00"},
		{"garbage", "garbage\x00"},
		{"garbage in front", " active name     <a> at port 1, fd = 2\n\x00"},
		{"NUL in front", "\x00active name     <a> at port 1, fd = 2\n\x00"},
		{"no NUL", "active name     <a> at port 1, fd = 2\n"},
		{"no line break", "active name     <a> at port 1, fd = 2\x00"},
		{"no line break, old", "old/unused name <a>, port = 1, fd = 2 \x00"},
		{"blank of an old one", "active name     <a> at port 1, fd = 2 \n\x00"},
		{"no blank in an old one", "old/unused name <a>, port = 1, fd = 2\n\x00"},
		{"active as an old one", "active name     <a>, port = 1, fd = 2\n\x00"},
		{"old as an active one", "old/unused name <a> at port 1, fd = 2 \n\x00"},
		{"another begin of the same length", "new/unused name <a>, port = 1, fd = 2 \n\x00"},
		{"colon in the port", "active name     <a> at port 1:, fd = 2\n\x00"},
		{"begin only", "active name     <\n\x00"},
		{"begin only, old", "old/unused name < \n\x00"},
		{"no port", "active name     <a> at port , fd = 2\n\x00"},
		{"port 65536", "active name     <a> at port 65536, fd = 2\n\x00"},
		{"port 65536, old", "old/unused name <a>, port = 65536, fd = 2 \n\x00"},
		{"leading zero in the port", "active name     <a> at port 01, fd = 2\n\x00"},
		{"negative port", "active name     <a> at port -1, fd = 2\n\x00"},
		{"behind the port", "active name     <a> at port 1 , fd = 2\n\x00"},
		{"no FD", "active name     <a> at port 1\n\x00"},
		{"empty FD", "active name     <a> at port 1, fd = \n\x00"},
		{"leading zero in the FD", "active name     <a> at port 1, fd = 02\n\x00"},
		{"FD one too high", "active name     <a> at port 1, fd = 18446744073709551616\n\x00"},
		{"FD ten times too high", "active name     <a> at port 1, fd = 184467440737095516150\n\x00"},
		{"negative FD", "active name     <a> at port 1, fd = -1\n\x00"},
		{"behind the FD", "active name     <a> at port 1, fd = 2x\n\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := wire.Error{Message: wire.MessageDumpResp, Field: wire.FieldLine, Fault: wire.FaultSyntax}
			got, err := dumpLines(t, c.line)
			requireFault(t, err, want)
			require.Empty(t, got)

			// What is good before it is read, what is good behind it is not.
			const good = "old/unused name <g>, port = 3, fd = 4 \n\x00"
			got, err = dumpLines(t, good+c.line+good)
			requireFault(t, err, want)
			require.Equal(t, []dumpLine{{false, "g", 3, 4}}, got)
		})
	}
}

func TestDumpLinesCut(t *testing.T) {
	const first = "active name     <foo> at port 10, fd = 1\n\x00"
	const lines = first + "old/unused name <bar>, port = 20, fd = 2 \n\x00"
	for end := range len(lines) {
		got, err := dumpLines(t, lines[:end])
		if end == 0 || end == len(first) {
			require.NoError(t, err)
		} else {
			requireFault(t, err, wire.Error{
				Message: wire.MessageDumpResp, Field: wire.FieldLine, Fault: wire.FaultSyntax,
			})
		}
		if end < len(first) {
			require.Empty(t, got)
		} else {
			require.Equal(t, []dumpLine{{true, "foo", 10, 1}}, got)
		}
	}
}

func TestDumpLinesBreak(t *testing.T) {
	seq := wire.DumpLines([]byte("active name     <a> at port 1, fd = 2\n\x00garbage\x00"))
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

func TestAppendDumpLines(t *testing.T) {
	const active = "before" + "active name     <foo> at port 1000, fd = 7\n\x00"
	assert.Equal(t, active, string(wire.AppendActiveLine([]byte("before"), "foo", 1000, 7)))
	assert.Equal(t, active, string(wire.AppendActiveLine([]byte("before"), []byte("foo"), 1000, 7)))
	const old = "before" + "old/unused name <foo>, port = 1000, fd = 7 \n\x00"
	assert.Equal(t, old, string(wire.AppendOldLine([]byte("before"), "foo", 1000, 7)))
	assert.Equal(t, old, string(wire.AppendOldLine([]byte("before"), []byte("foo"), 1000, 7)))
}

func TestDumpLineOverhead(t *testing.T) {
	const fd = 9_999_999_999_999_999 // the highest of 16 digits
	name := strings.Repeat("n", wire.MaxNameBytes)
	require.Len(t, wire.AppendOldLine(nil, name, 65535, fd), len(name)+wire.DumpLineOverhead)
	require.Len(t, wire.AppendActiveLine(nil, name, 65535, fd), len(name)+wire.DumpLineOverhead-len(" "))
}
