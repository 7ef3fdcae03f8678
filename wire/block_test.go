package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

var someTransports = []wire.Transport{{Name: "inet_tcp", Port: 1}, {Name: "", Port: 65535}, {Name: "a#b", Port: 0}}

func TestBlocksShort(t *testing.T) {
	l := wire.AppendBlocks([]byte("before"), 4369)
	require.Equal(t, "before\x00\x05\x00\x00\x00\x11\x11", string(l.End()))
	l = wire.AppendBlocks(nil, 4369)
	l.Name("a b", someTransports)
	l.Name("c", []wire.Transport{{Port: 7}})
	const lines = "name a b at port 1#inet_tcp 65535# 0#a#b\nname c at port 7#\n"
	require.Equal(t, fmt.Sprintf("\x00%c\x00\x00\x00\x11\x11", len(lines)+5)+lines, string(l.End()))

	l = wire.AppendBlocks(nil, 4369)
	l.Active("a", someTransports[:1], 7)
	l.Old("b", someTransports[:2], 1<<63)
	const dump = "active name     <a> at port 1#inet_tcp, fd = 7\nold/unused name <b> at port 1#inet_tcp 65535#, fd = 9223372036854775808\n"
	require.Equal(t, fmt.Sprintf("\x00%c\x00\x00\x00\x11\x11", len(dump)+5)+dump, string(l.End()))
}

// TestBlocksEdge: a block that is full to the last byte, and one that would be too long
// by one.
func TestBlocksEdge(t *testing.T) {
	const overhead = len("name  at port 1#\n")
	for _, left := range []int{0, -1} {
		l := wire.AppendBlocks(nil, 4369)
		size := 7
		one := []wire.Transport{{Port: 1}}
		for size < wire.MaxBlockLen-2000 {
			l.Name(strings.Repeat("n", 1000-overhead), one)
			size += 1000
		}
		l.Name(strings.Repeat("n", wire.MaxBlockLen-size-left-overhead), one)
		list := l.End()
		first, n, err := wire.ParseBlock(list, true)
		require.NoError(t, err)
		require.EqualValues(t, 4369, first.Port)
		require.Equal(t, left < 0, first.More)
		if left == 0 {
			require.Equal(t, wire.MaxBlockLen, n)
			require.Len(t, list, n)
			continue
		}
		require.Equal(t, size, n)
		second, m, err := wire.ParseBlock(list[n:], false)
		require.NoError(t, err)
		require.False(t, second.More)
		require.Zero(t, second.Port)
		require.Len(t, list, n+m)
		require.True(t, strings.HasPrefix(string(second.Lines), "name n"))
	}
}

// TestBlocksOfAnyLine: lines of every kind are in blocks that are full, but for the last,
// and none is lost.
func TestBlocksOfAnyLine(t *testing.T) {
	const lines = 50
	name, one := strings.Repeat("n", 1000), []wire.Transport{{Port: 1}}
	for what, add := range map[string]func(*wire.Blocks){
		"Name":   func(l *wire.Blocks) { l.Name(name, one) },
		"Active": func(l *wire.Blocks) { l.Active(name, one, 1) },
		"Old":    func(l *wire.Blocks) { l.Old(name, one, 1) },
	} {
		l := wire.AppendBlocks([]byte("before"), 1)
		for range lines {
			add(&l)
		}
		list := l.End()[len("before"):]
		seen := 0
		for more, first := true, true; more; first = false {
			block, n, err := wire.ParseBlock(list, first)
			require.NoError(t, err)
			require.LessOrEqual(t, n, wire.MaxBlockLen, what)
			require.True(t, !block.More || n > wire.MaxBlockLen-1100, "%s: %d bytes", what, n)
			seen += strings.Count(string(block.Lines), "\n")
			list, more = list[n:], block.More
		}
		require.Empty(t, list)
		require.Equal(t, lines, seen, what)
	}
}

func TestParseBlock(t *testing.T) {
	for _, c := range []struct {
		text  string
		first bool
		want  wire.Block
	}{
		{"0005 00 00001111", true, wire.Block{Port: 4369, Lines: []byte{}}},
		{"0006 01 00001111 61", true, wire.Block{More: true, Port: 4369, Lines: []byte("a")}},
		{"0001 00", false, wire.Block{Lines: []byte{}}},
		{"0002 01 61", false, wire.Block{More: true, Lines: []byte("a")}},
	} {
		b := unhex(c.text)
		got, n, err := wire.ParseBlock(append(b[:len(b):len(b)], "behind"...), c.first)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got)
		require.Equal(t, len(b), n)
		for end := range b {
			_, _, err := wire.ParseBlock(b[:end], c.first)
			requireFault(t, err, wire.Error{Message: wire.MessageNames3Resp, Field: wire.FieldBlock, Fault: wire.FaultIncomplete})
		}
	}
	for text, first := range map[string]bool{"0000": false, "0004": true, "0001 02": false, "0005 ff": true} {
		_, _, err := wire.ParseBlock(unhex(text), first)
		requireFault(t, err, wire.Error{Message: wire.MessageNames3Resp, Field: wire.FieldBlock, Fault: wire.FaultSyntax})
	}
}

func TestNames3Req(t *testing.T) {
	tagOnly{
		message: wire.MessageNames3Req, tag: 78,
		parse: func(body []byte) ([]byte, error) {
			req, err := wire.ParseNames3Req(body)
			return req.Tail, err
		},
		append: func(b, tail []byte) ([]byte, error) { return wire.Names3Req{Tail: tail}.Append(b) },
	}.test(t)
}

func TestDump3Req(t *testing.T) {
	tagOnly{
		message: wire.MessageDump3Req, tag: 68,
		parse: func(body []byte) ([]byte, error) {
			req, err := wire.ParseDump3Req(body)
			return req.Tail, err
		},
		append: func(b, tail []byte) ([]byte, error) { return wire.Dump3Req{Tail: tail}.Append(b) },
	}.test(t)
}

// TestName3Lines: names that look like lines are no lines, and what is none ends the
// list.
func TestName3Lines(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"name a at port 1#t 2#u\nname b at port 3#\n": `"a":1#t 2#u "b":3# `,
		"name a at port 5 at port 1#\n":               `"a at port 5":1# `,
		"name a at port 5#x y at port 1#\n":           `"a at port 5#x y":1# `,
		"name a\nname b at port 1#\n":                 `"a\nname b":1# `,
		"name  at port 0#\n":                          `"":0# `,
		"name a at port 1#t\nx":                       `fault`,
		"name a at port 1#t":                          `fault`,
		"name a at port 1# \n":                        `fault`,
		"name a at port #t\n":                         `fault`,
		"name a at port 1\n":                          `fault`,
		"name a at port \n":                           `fault`,
		"name a at port 01#t\n":                       `fault`,
		"name a at port 65536#t\n":                    `fault`,
		"name a at port 1#t  2#u\n":                   `fault`,
		"name a at port 1#t 2\n":                      `fault`,
		"nam a at port 1#t\n":                         `fault`,
		"name a at port 1#t\nname b\n":                `"a":1#t fault`,
		"n":                                           `fault`,
		"name a at port 1:#t\n":                       `fault`,
		"name abcdefghi5#\nname b at port 1#\n":       `"abcdefghi5#\nname b":1# `,
	} {
		got := ""
		for line, err := range wire.Name3Lines([]byte(text)) {
			if err != nil {
				requireFault(t, err, wire.Error{Message: wire.MessageNames3Resp, Field: wire.FieldLine, Fault: wire.FaultSyntax})
				got += "fault"
				break
			}
			got += fmt.Sprintf("%q:%s ", line.Name, line.Transports)
		}
		require.Equal(t, want, got, "%q", text)
	}
	for range wire.Name3Lines([]byte("name a at port 1#\nname b at port 1#\n")) {
		break // and no more is asked for
	}
}

func TestDump3Lines(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"active name     <a> at port 1#t 2#u, fd = 7\nold/unused name <b> at port 3#, fd = 0\n": `true "a":1#t 2#u=7 false "b":3#=0 `,
		"active name     <a> at port 5#, fd = 1> at port 1#, fd = 2\n":                          `true "a> at port 5#, fd = 1":1#=2 `,
		"active name     <a\n> at port 1#, fd = 2\n":                                            `true "a\n":1#=2 `,
		"active name     <a> at port 1#t, fd = , fd = 2\n":                                      `fault`,
		"active name     <a> at port 1#t\n":                                                     `fault`,
		"active name     <a> at port 1#t, fd = x\n":                                             `fault`,
		"active name     <a> at port 1#t, fd = 2 \n":                                            `fault`,
		"active name     <a> at port 1#t, fd = 18446744073709551616\n":                          `fault`,
		"active name     <a> at port 1#t, fd = 2":                                               `fault`,
		"active name     <a> at port 1#t, fd = 2\nx":                                            `fault`,
		"active name     <a, fd = 2\n":                                                          `fault`,
		"name <a> at port 1#t, fd = 2\n":                                                        `fault`,
		"a":                                                                                     `fault`,
		"active name     <> at port 1#, fd = 2\n":                                               `true "":1#=2 `,
		"active name     <a> at port active name     <":                                         `fault`,
		"active name     <abcdefghij5#, fd = 1\nactive name     <b> at port 1#, fd = 2\n":       `true "abcdefghij5#, fd = 1\nactive name     <b":1#=2 `,
	} {
		got := ""
		for line, err := range wire.Dump3Lines([]byte(text)) {
			if err != nil {
				requireFault(t, err, wire.Error{Message: wire.MessageDump3Resp, Field: wire.FieldLine, Fault: wire.FaultSyntax})
				got += "fault"
				break
			}
			got += fmt.Sprintf("%v %q:%s=%d ", line.Active, line.Name, line.Transports, line.FD)
		}
		require.Equal(t, want, got, "%q", text)
	}
}

// TestPortText copies what a line tells, as far as it is right.
func TestPortText(t *testing.T) {
	require.Equal(t, someTransports, wire.PortText("1#inet_tcp 65535# 0#a#b").Transports())
	require.Equal(t, someTransports[:1], wire.PortText("1#inet_tcp x").Transports())
	require.Empty(t, wire.PortText("").Transports())
	require.Empty(t, wire.PortText("1#t ").Transports(), "a blank at the end is none")
	for port, name := range wire.PortText("1#inet_tcp 2#x").All() {
		require.EqualValues(t, 1, port)
		require.Equal(t, len(name), cap(name))
		break
	}
}
