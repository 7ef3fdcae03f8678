package cnode

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// terms are terms and their bytes, as term_to_binary writes them where it has a
// choice that is also made here.
var terms = []struct {
	term  Term
	bytes string
}{
	{Atom("ok"), "w\x02ok"},
	{Atom(""), "w\x00"},
	{Atom("grün"), "w\x05gr\xc3\xbcn"},
	{Atom(strings.Repeat("ü", 255)), "v\x01\xfe" + strings.Repeat("ü", 255)},
	{int64(0), "a\x00"},
	{int64(255), "a\xff"},
	{int64(256), "b\x00\x00\x01\x00"},
	{int64(-1), "b\xff\xff\xff\xff"},
	{int64(math.MinInt32), "b\x80\x00\x00\x00"},
	{int64(1 << 31), "n\x08\x00\x00\x00\x00\x80\x00\x00\x00\x00"},
	{int64(math.MinInt64), "n\x08\x01\x00\x00\x00\x00\x00\x00\x00\x80"},
	{1.5, "F\x3f\xf8\x00\x00\x00\x00\x00\x00"},
	{[]byte("ab"), "m\x00\x00\x00\x02ab"},
	{[]byte{}, "m\x00\x00\x00\x00"},
	{Tuple{Atom("a"), int64(1)}, "h\x02w\x01aa\x01"},
	{List{}, "j"},
	{Proper(int64(1), Atom("b")), "l\x00\x00\x00\x02a\x01w\x01bj"},
	{List{Elems: []Term{Atom("alias")}, Tail: int64(7)}, "l\x00\x00\x00\x01w\x05aliasa\x07"},
	{Pid{Node: "a@b", ID: 1, Serial: 2, Creation: 3}, "Xw\x03a@b\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"},
	{Ref{Node: "a@b", Creation: 3, IDs: []uint32{4, 5}}, "Z\x00\x02w\x03a@b\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05"},
}

func TestTerms(t *testing.T) {
	for _, c := range terms {
		b, err := Append(nil, c.term)
		require.NoError(t, err, "%v", c.term)
		require.Equal(t, c.bytes, string(b), "%v", c.term)
		got, rest, err := Decode(append(b, "rest"...))
		require.NoError(t, err, "%v", c.term)
		require.Equal(t, c.term, got)
		require.Equal(t, "rest", string(rest))
		for n := range len(b) {
			_, _, err := Decode(b[:n])
			require.ErrorIs(t, err, ErrTerm, "%v cut to %d bytes", c.term, n)
		}
	}
}

// TestOldForms: what older nodes write, and only they, is read.
func TestOldForms(t *testing.T) {
	for bytes, want := range map[string]Term{
		"d\x00\x02ok":            Atom("ok"),
		"s\x03gr\xfc":            Atom("grü"),
		"k\x00\x02hi":            Proper(int64('h'), int64('i')),
		"i\x00\x00\x00\x01a\x01": Tuple{int64(1)},
		"l\x00\x00\x00\x00a\x01": int64(1),
		"gw\x01a\x00\x00\x00\x01\x00\x00\x00\x02\x03":       Pid{Node: "a", ID: 1, Serial: 2, Creation: 3},
		"r\x00\x01w\x01a\x03\x00\x00\x00\x04":               Ref{Node: "a", Creation: 3, IDs: []uint32{4}},
		"n\x0a\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00": int64(1),
	} {
		got, rest, err := Decode([]byte(bytes))
		require.NoError(t, err, "%q", bytes)
		require.Equal(t, want, got, "%q", bytes)
		require.Empty(t, rest)
	}
}

func TestBadTerms(t *testing.T) {
	for what, bytes := range map[string]string{
		"nothing":              "",
		"a fun":                "p\x00\x00\x00\x00",
		"more than there is":   "l\xff\xff\xff\xff",
		"a huge tuple":         "i\xff\xff\xff\xffa\x01",
		"a huge binary":        "m\xff\xff\xff\xffab",
		"no UTF-8":             "w\x01\xff",
		"a long atom":          "v\x10\x00" + strings.Repeat("x", 0x1000),
		"no atom":              "Xa\x01",
		"a reference of none":  "Z\x00\x00w\x01a\x00\x00\x00\x03",
		"a reference of six":   "Z\x00\x06w\x01a\x00\x00\x00\x03" + strings.Repeat("\x00", 24),
		"beyond 64 bits":       "n\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
		"beyond 63 bits":       "n\x08\x00\xff\xff\xff\xff\xff\xff\xff\xff",
		"nested for ever":      strings.Repeat("h\x01", 1000) + "a\x01",
		"tails without an end": strings.Repeat("l\x00\x00\x00\x01a\x01", 1000) + "j",
	} {
		_, _, err := Decode([]byte(bytes))
		require.ErrorIs(t, err, ErrTerm, what)
	}
	var deep Term = 1
	for range 1000 {
		deep = Tuple{deep}
	}
	for what, term := range map[string]Term{
		"no term":             "a string",
		"a long atom":         Atom(strings.Repeat("x", 2000)),
		"a reference of none": Ref{Node: "a"},
		"nested for ever":     deep,
		"inside a list":       Proper(struct{}{}),
	} {
		_, err := Append(nil, term)
		require.ErrorIs(t, err, ErrTerm, what)
		require.False(t, Equal(term, term), what)
	}
}

func TestText(t *testing.T) {
	for want, term := range map[string]Term{
		"hé":  Proper(int64('h'), int64('é')),
		"abc": []byte("abc"),
		"":    List{},
	} {
		got, err := Text(term)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, term := range []Term{Atom("a"), Proper(int64(-1)), Proper(Atom("a"))} {
		_, err := Text(term)
		require.Error(t, err, "%v", term)
	}
}

// FuzzDecode: any bytes give a term or an error, and a term that was read is written
// and read again as it was.
func FuzzDecode(f *testing.F) {
	for _, c := range terms {
		f.Add([]byte(c.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		term, _, err := Decode(b)
		if err != nil {
			require.ErrorIs(t, err, ErrTerm)
			return
		}
		again, err := Append(nil, term)
		require.NoError(t, err)
		got, rest, err := Decode(again)
		require.NoError(t, err)
		require.Empty(t, rest)
		require.True(t, Equal(term, got), "%#v\n%#v", term, got)
	})
}
