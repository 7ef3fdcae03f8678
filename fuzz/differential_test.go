//go:build unix

package fuzz

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// pairLife is how many conversations two daemons live through: what one leaves
// behind should come before the next, but a failure should be short to tell.
const pairLife = 1000

func FuzzDifferential(f *testing.F) {
	theirs := otptest.Epmd(f)
	start := func(ctx context.Context, relaxed bool) (*differ.Pair, error) {
		ours, err := differ.StartServer(relaxed, wire.Standard)
		if err != nil {
			return nil, err
		}
		p, err := differ.StartProgram(ctx, theirs, relaxed)
		if err != nil {
			return nil, errors.Join(err, ours.Stop())
		}
		return &differ.Pair{A: ours, B: p}, nil
	}
	pairs := map[bool]*differ.Pair{}
	had := map[bool]int{}
	f.Cleanup(func() {
		for _, p := range pairs {
			require.NoError(f, p.Stop())
		}
	})
	f.Fuzz(func(t *testing.T, data []byte, relaxed bool) {
		p := pairs[relaxed]
		if had[relaxed]++; p == nil || p.Spent() || had[relaxed]%pairLife == 0 {
			if p != nil {
				require.NoError(t, p.Stop())
				delete(pairs, relaxed)
			}
			var err error
			p, err = start(t.Context(), relaxed)
			require.NoError(t, err)
			pairs[relaxed] = p
		}
		d, err := p.Play(differ.Decode(data))
		require.NoError(t, err)
		if d == nil {
			return
		}
		again, err := differ.Confirm(t.Context(), start, relaxed, d.Conversation)
		require.NoError(t, err)
		if again == nil {
			t.Fatalf("A is ours, B is OTP's; with fresh daemons it did not come again: %s\n%#v", d, d.Conversation)
		}
		t.Fatalf("A is ours, B is OTP's: %s\n%#v", again, again.Conversation)
	})
}
