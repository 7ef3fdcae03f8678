package model_test

import (
	"errors"
	"math/rand"
	"testing"
	"unicode/utf8"

	"github.com/leanovate/gopter/prop"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/wire"
)

func node(name string) wire.Node { return wire.Node{Name: name, Port: 7, Highest: 6} }

// TestStory takes the model over the border, by what the rules say.
func TestStory(t *testing.T) {
	m := model.Names{Remember: 1}
	for i, name := range []string{"a", "b", "c"} {
		require.Equal(t, model.Outcome{Origin: model.Fresh, Counter: uint32(101 + i), Creation: uint32(101 + i)},
			m.Register(int64(100+i), uint64(i), node(name)))
	}
	require.Equal(t, []model.Rule{model.Taken}, m.Register(100, 9, node("a")).Broken)
	m.Release(1)
	m.Release(1)
	m.Release(9)
	require.Equal(t, []uint64{0}, m.Stop("a"))
	require.Nil(t, m.Stop("a"))
	require.True(t, m.Holds(2))
	require.False(t, m.Holds(0))

	const listHeader = "\x00\x00\x11\x11"
	require.Equal(t, listHeader+"name c at port 7\n", m.Names(4369))
	require.Equal(t, listHeader+"active name     <c> at port 7, fd = 2\n\x00"+
		"old/unused name <b>, port = 7, fd = 1 \n\x00old/unused name <a>, port = 7, fd = 0 \n\x00", m.Dump(4369))

	before := m.Clone()
	require.Equal(t, model.Outcome{Origin: model.TookOver, Counter: 102, Creation: 102}, m.Register(500, 3, node("d")))
	require.Equal(t, model.Outcome{Origin: model.Returned, Counter: 102, Creation: 102}, m.Register(500, 3, node("a")))
	n := node("b")
	n.Highest = 5
	require.Equal(t, model.Outcome{Origin: model.Fresh, Counter: 4, Creation: 2}, m.Register(0xffffffff, 4, n))
	require.Empty(t, m.Old)
	require.Len(t, m.Live, 4)
	require.Len(t, before.Live, 1)
	require.Len(t, before.Old, 2)
	m.Release(3)
	require.Equal(t, []string{"a", "d"}, []string{m.Old[0].Node.Name, m.Old[1].Node.Name})
}

// TestChars holds the model's reading of UTF-8 to the standard library's: every
// text of 2 bytes, and random ones.
func TestChars(t *testing.T) {
	check := func(s string) error {
		n, valid := model.Chars(s)
		if valid != utf8.ValidString(s) || valid && n != utf8.RuneCountInString(s) {
			return errors.New("it is read differently")
		}
		return nil
	}
	for a := range 256 {
		for b := range 256 {
			require.NoError(t, check(string([]byte{byte(a), byte(b)})), "% x % x", a, b)
		}
	}
	valid := 0
	property.Holds(t, 5000, 1, prop.ForAll(func(s string) (bool, error) {
		if utf8.ValidString(s) {
			valid++
		}
		return true, check(s)
	}, property.Gen(func(r *rand.Rand) string {
		s := model.Name(r)
		if s == "" || r.Intn(3) == 0 {
			return s
		}
		return string(model.Mutate(r, []byte(s)))
	})))
	require.Greater(t, valid, 500)
	require.Less(t, valid, 4500)
}

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		arrived string
		glued   int
		frame   model.Frame
		body    string
	}{
		{"", 0, model.Unknown, ""},
		{"\x00", 1, model.Unknown, ""},
		{"\x00\x00", 2, model.Bad, ""},
		{"\x0b\xf1", 2, model.Begun, ""},
		{"\x0b\xf2", 2, model.Bad, ""},
		{"\x00\x02z", 3, model.Begun, ""},
		{"\x00\x02za", 4, model.Complete, "za"},
		{"\x00\x02zab", 5, model.Bad, ""},
		{"\x00\x02zab", 4, model.Complete, "za"},
	} {
		frame, body := model.Framing(c.arrived, c.glued)
		require.Equal(t, c.frame, frame, "%q", c.arrived)
		require.Equal(t, c.body, body, "%q", c.arrived)
	}
}
