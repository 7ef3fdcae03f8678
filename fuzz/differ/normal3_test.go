package differ

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// TestNormal3: two daemons that tell the same transports are alike, whatever their ports,
// times and descriptors, and however many blocks these make of a list.
func TestNormal3(t *testing.T) {
	dump := func(port uint32, fd uint64, last string) []byte {
		l := wire.AppendBlocks(nil, port)
		for range 300 {
			l.Active("a node of some name", []wire.Transport{{Name: "inet_tcp", Port: 1}}, fd)
		}
		l.Old(last, []wire.Transport{{Port: 2}}, fd)
		return l.End()
	}
	asks := frame([]byte{'D'})
	a, b := normal{port: 1}, normal{port: 2}
	text := a.reply(asks, dump(1, 7, "x"))
	require.Equal(t, string(text), string(b.reply(asks, dump(2, 1<<40, "x"))))
	require.Contains(t, string(text), "old/unused name <x> at port 2#, fd = FD\n")
	require.NotEqual(t, text, b.reply(asks, dump(2, 7, "y")))
	require.NotEqual(t, text, b.reply(asks, dump(1, 7, "x")), "another port")
	require.NotEqual(t, text, b.reply(asks, dump(2, 7, "x")[:100]), "a part")
	require.NotEqual(t, text, b.reply(asks, append(dump(2, 7, "x"), 0)), "something behind")

	register := append(frame(named3(0xe2, []byte("s"))), frame(named3(0xe7, []byte("s")))...)
	replies := func(first, second uint32) []byte {
		b := wire.Alive3Resp{Creation: 1 + first%3}.Append(nil)
		return wire.Alive3Resp{Creation: second, Extended: true}.Append(b)
	}
	text = a.reply(register, replies(100, 100))
	require.Equal(t, string(text), string(b.reply(register, replies(2000, 2000))))
	require.NotEqual(t, text, (&normal{}).reply(register, replies(100, 101)))
	refused := wire.Alive3Resp{Result: 1, Creation: wire.RefusedCreation}.Append(nil)
	require.Equal(t, refused, a.reply(register, refused))
}

// TestDecode3: the extension's requests come of few bytes, and are good ones.
func TestDecode3(t *testing.T) {
	seen := make(map[wire.Tag]int)
	for what := range 256 {
		body := named(byte(what), []byte("s"))
		tag := wire.Tag(body[0])
		switch tag {
		case wire.TagAlive3Req:
			_, err := wire.ParseAlive3Req(body)
			require.NoError(t, err)
		case wire.TagPortPlease3Req:
			_, err := wire.ParsePortPlease3Req(body)
			require.NoError(t, err)
		}
		seen[tag]++
	}
	for _, tag := range tags {
		seen[wire.Tag(tag)]++
	}
	for tag := range wire.Tag(255) {
		if wire.MultiTransport.Knows(tag) {
			require.Positive(t, seen[tag], tag)
		}
	}
}
