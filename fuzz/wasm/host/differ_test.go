package host

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/fuzz/machine"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/wire"
)

// TestDiffer sends the module through the differential engine, against bare
// sessions of this program: the same conversations that OTP's epmd is held to.
func TestDiffer(t *testing.T) {
	const conversations = 400
	seed := property.Seed(t)
	m := start(t)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	pairs := 0
	var pair *differ.Pair
	for i := range conversations {
		if pair == nil || pair.Spent() {
			d, err := m.Start(machine.Options{Port: differ.NewSim(true, wire.Standard).Port(), Relaxed: true, PacketTimeout: 60_000, Now: time.Now().UnixMilli()})
			require.NoError(t, err)
			pair = &differ.Pair{A: differ.NewSim(true, wire.Standard), B: ForDiffer(d, differ.NewSim(true, wire.Standard).Port()), Settle: -1}
			pairs++
		}
		found, err := pair.Play(differ.GenerateAlone(r))
		require.NoError(t, err)
		require.Nil(t, found, "seed %d, conversation %d: %v", seed, i, found)
		if pair.Spent() {
			require.NoError(t, pair.Stop())
		}
	}
	if !pair.Spent() {
		require.NoError(t, pair.Stop())
	}
	require.Greater(t, pairs, 1, "some conversations end the daemon")
}
