package differ

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/wire"
)

// TestSame: bare sessions do not differ from themselves, nor from the model.
func TestSame(t *testing.T) {
	for name, other := range map[string]func(relaxed bool) Target{
		"bare sessions": func(relaxed bool) Target { return NewSim(relaxed, wire.Standard) },
		"the model":     func(relaxed bool) Target { return newModelled(relaxed) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Run{
				Start: func(_ context.Context, relaxed bool) (*Pair, error) {
					return &Pair{A: NewSim(relaxed, wire.Standard), B: other(relaxed), Settle: -1}, nil
				},
				Steps: 20_000, Seed: uint64(property.Seed(t)), Seeds: suiteSeeds(t),
				Found: func(d *Difference) { t.Errorf("%s\n%#v", d, d.Conversation) },
			}
			_, err := r.Play(t.Context())
			require.NoError(t, err)
		})
	}
}

// TestCutList: the end of a list may be lost when the daemon resets the connection because it
// has left something unread, but some must have arrived, and that must be right.
func TestCutList(t *testing.T) {
	const long, asks, tooMuch = "\x00\x00\x5f\x31name a at port 1\n", "\x00\x01n", "\x00\x01nn"
	for _, tt := range []struct {
		sent, a, b string
		reset      bool
		want       bool
	}{
		{tooMuch, long, long, true, true},
		{tooMuch, long, long[:9], true, true},
		{tooMuch, long, long[:9], false, false},
		{tooMuch, long, "", true, false},
		{tooMuch, long, "\x00\x00\x5f\x31name b", true, false},
		{asks, long, long[:9], true, false},
		{asks, long, long, true, false},
		{asks, long, "", true, false},
		{asks, long, long, false, true},
	} {
		g := game{}
		for i, got := range []string{tt.a, tt.b} {
			g.sides[i].names.port = simPort
			g.sides[i].links[0] = &link{sent: []byte(tt.sent), got: []byte(got), closed: true, fresh: true}
		}
		g.sides[1].links[0].reset = tt.reset
		require.Equal(t, tt.want, g.disagree() < 0, "%+v", tt)
	}
}

// TestShrinkStops: the search ends at an error, and by itself.
func TestShrinkStops(t *testing.T) {
	c := Conversation{Steps: []Step{{Bytes: make([]byte, 4000)}, {Bytes: make([]byte, 4000)}}}
	tries := 0
	_, err := Shrink(c, func(Conversation) (bool, error) { tries++; return false, nil })
	require.NoError(t, err)
	require.LessOrEqual(t, tries, shrinkTries)
	bad := errors.New("bad")
	_, err = Shrink(c, func(Conversation) (bool, error) { return false, bad })
	require.ErrorIs(t, err, bad)
	small, err := Shrink(c, func(c Conversation) (bool, error) { return len(c.Steps) > 0 && len(c.Steps[0].Bytes) >= 3, nil })
	require.NoError(t, err)
	require.Len(t, small.Steps, 1)
	require.Len(t, small.Steps[0].Bytes, 3)
}
