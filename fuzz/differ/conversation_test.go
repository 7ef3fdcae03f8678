package differ

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/wire"
)

func TestEncode(t *testing.T) {
	r := rand.New(rand.NewPCG(uint64(property.Seed(t)), 1))
	for range 2000 {
		c := GenerateAlone(r)
		data, err := Encode(c)
		require.NoError(t, err)
		again := Decode(data)
		require.Equal(t, c.String(), again.String())
		require.Equal(t, c.GoString(), again.GoString())
	}
	for _, c := range []Conversation{
		{Steps: make([]Step, MaxSteps+1)},
		{Steps: []Step{{Conn: MaxConns}}},
		{Steps: []Step{{Conn: -1}}},
		{Steps: []Step{{Bytes: make([]byte, MaxSend+1)}}},
		{Steps: []Step{{Kind: numKinds}}},
	} {
		_, err := Encode(c)
		require.ErrorIs(t, err, ErrTooBig)
	}
}

// TestDecode: any bytes are a conversation within the bounds.
func TestDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(uint64(property.Seed(t)), 1))
	var kinds [numKinds]int
	for range 5000 {
		data := make([]byte, r.IntN(300))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		c := Decode(data)
		require.LessOrEqual(t, len(c.Steps), MaxSteps)
		for _, s := range c.Steps {
			kinds[s.Kind]++
			require.Less(t, s.Conn, MaxConns)
			require.LessOrEqual(t, len(s.Bytes), MaxSend)
		}
	}
	for k, n := range kinds {
		require.Positive(t, n, Kind(k))
	}
}

// TestGenerate: the same source makes the same, nearly all of it can be shared, and
// fewer names than a daemon remembers are ever registered beside each other.
func TestGenerate(t *testing.T) {
	seed := uint64(property.Seed(t))
	first, second := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 1))
	shareable, all := 0, 3000
	for i := range all {
		c := Generate(first, Prefix(i))
		require.Equal(t, c, Generate(second, Prefix(i)))
		require.NotEmpty(t, c.Steps)
		if c.Shareable() {
			shareable++
		}
	}
	require.Greater(t, shareable, all*9/10)
	names := make(map[string]bool)
	for _, req := range registrations(first, Prefix(0), 10*all) {
		if len(model.Refuse(wire.Node{Name: string(req.Name)})) == 0 {
			names[string(req.Name)] = true
		}
	}
	require.Less(t, len(names)*MaxPrefixes, 900)
	require.Greater(t, len(names), 20)
}

// TestGenerateAll: nodes have every type and protocol, versions far and near, and extra
// fields with any bytes; names and requests are as long as they can be, and longer.
func TestGenerateAll(t *testing.T) {
	seen := make(map[string]map[any]bool)
	see := func(what string, v any) {
		if seen[what] == nil {
			seen[what] = make(map[any]bool)
		}
		seen[what][v] = true
	}
	for _, prefix := range []string{"", Prefix(3)} {
		for _, req := range registrations(rand.New(rand.NewPCG(uint64(property.Seed(t)), 1)), prefix, 20_000) {
			see("types", req.Type)
			see("protocols", req.Protocol)
			see("highest versions", req.Highest)
			see("lowest versions", req.Lowest)
			see("bytes of extra", len(req.Extra))
			if chars, valid := model.Chars(string(req.Name)); valid {
				see("characters", chars)
			}
		}
		for what, least := range map[string]int{"types": 200, "protocols": 200, "highest versions": 200, "lowest versions": 200, "bytes of extra": 50} {
			require.Greater(t, len(seen[what]), least, "%s with prefix %q", what, prefix)
		}
		for _, n := range []int{254, 255, 256} {
			require.Contains(t, seen["characters"], n, prefix)
		}
		for _, n := range []int{1020, 1021} {
			require.Contains(t, seen["bytes of extra"], n, prefix)
		}
		clear(seen)
	}
}

// registrations are the well-formed ALIVE2_REQs of conversations that are sent as one segment.
func registrations(r *rand.Rand, prefix string, conversations int) (all []wire.Alive2Req) {
	for range conversations {
		c := Generate(r, prefix)
		for _, s := range c.Steps {
			if n, err := wire.PacketLen(s.Bytes); err == nil && n > 0 && n == len(s.Bytes) && s.Bytes[2] == 'x' {
				if req, err := wire.ParseAlive2Req(s.Bytes[2:]); err == nil {
					all = append(all, req)
				}
			}
		}
	}
	return all
}

func TestShareable(t *testing.T) {
	const p = "~01~"
	for name, tt := range map[string]struct {
		steps []string
		want  bool
	}{
		"own name":       {[]string{string(frame(alive2(1, 6, []byte("~01~a"), nil)))}, true},
		"another name":   {[]string{string(frame(alive2(1, 6, []byte("~02~a"), nil)))}, false},
		"empty name":     {[]string{string(frame(alive2(1, 6, nil, []byte("x"))))}, false},
		"in two":         {[]string{string(frame(alive2(1, 6, []byte("a"), nil)))[:9], string(frame(alive2(1, 6, []byte("a"), nil)))[9:]}, false},
		"stop own":       {[]string{"\x00\x05s~01~"}, true},
		"stop another":   {[]string{"\x00\x02sa"}, false},
		"kill":           {[]string{"\x00\x01k"}, false},
		"hidden kill":    {[]string{"\x00\x01n", "\x00\x01k"}, false},
		"look up others": {[]string{"\x00\x02za", "\x00\x01n", "\x00\x01d"}, true},
	} {
		c := Conversation{Prefix: p}
		for _, s := range tt.steps {
			c.Steps = append(c.Steps, Step{Bytes: []byte(s)})
		}
		require.Equal(t, tt.want, c.Shareable(), name)
		c.Prefix = ""
		require.False(t, c.Shareable(), name)
	}
}

func TestText(t *testing.T) {
	c := Conversation{Steps: []Step{
		{Conn: 1, Kind: Send, Bytes: []byte("\x00\x01nx")},
		{Conn: 2, Kind: Reset},
		{Conn: 0, Kind: Send, Bytes: []byte(strings.Repeat("a", 2000))},
	}}
	text := c.String()
	require.Contains(t, text, `1. conn 1 Send 4 bytes NAMES_REQ and 1 more "\x00\x01nx"`)
	require.Contains(t, text, "2. conn 2 Reset\n")
	require.Contains(t, text, "… 1200 bytes …")
	require.Contains(t, c.GoString(), `{Conn: 2, Kind: differ.Reset},`)
	require.Equal(t, "Kind(9)", Kind(9).String())
}
