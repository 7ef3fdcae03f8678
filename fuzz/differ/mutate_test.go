package differ

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/fuzz/property"
)

func TestMutate(t *testing.T) {
	seeds := suiteSeeds(t)
	r := rand.New(rand.NewPCG(uint64(property.Seed(t)), 2))
	changed := 0
	for range 2000 {
		c := seeds[r.IntN(len(seeds))]
		before := c.GoString()
		m := Mutate(r, c)
		require.Equal(t, before, c.GoString(), "the seed was changed")
		require.LessOrEqual(t, len(m.Steps), MaxSteps)
		_, err := Encode(m)
		require.NoError(t, err)
		if m.GoString() != before {
			changed++
		}
	}
	require.Greater(t, changed, 1800)
}

func suiteSeeds(t *testing.T) []Conversation {
	t.Helper()
	all, err := conformance.Scenarios()
	require.NoError(t, err)
	var seeds []Conversation
	for _, s := range all {
		flat, err := s.Flat()
		require.NoError(t, err)
		if c, ok := FromScenario(flat); ok {
			seeds = append(seeds, c)
		}
	}
	require.Greater(t, len(seeds), len(all)/2)
	return seeds
}
