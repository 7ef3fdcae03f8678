package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	for name, tt := range map[string]struct {
		all  []float64
		want Spread
	}{
		"none":                  {nil, Spread{}},
		"one":                   {[]float64{3}, Spread{1, 3, 3, 3, 3, 3}},
		"two":                   {[]float64{4, 2}, Spread{2, 2, 2.5, 3, 3.5, 4}},
		"five, in no order":     {[]float64{5, 1, 4, 2, 3}, Spread{5, 1, 2, 3, 4, 5}},
		"one far from the rest": {[]float64{1, 1, 1, 1, 100}, Spread{5, 1, 1, 1, 1, 100}},
	} {
		require.Equal(t, tt.want, NewSpread(tt.all), name)
	}
	all := []float64{2, 1}
	NewSpread(all)
	require.Equal(t, []float64{2, 1}, all, "the caller's figures are left as they are")
}

func TestPercentile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for q, want := range map[float64]int{0: 1, 0.5: 50, 0.99: 99, 0.999: 100, 1: 100} {
		require.Equal(t, want, percentile(hundred, q), q)
	}
	require.Equal(t, 7, percentile([]int{7}, 0.999))
	require.Zero(t, percentile([]int(nil), 0.5))
}

func TestRatios(t *testing.T) {
	pairs := make([]Pair, 5)
	values := [][2]float64{{4, 2}, {1, 4}, {-1, 3}, {3, 0}, {0, 3}} // -1: not measured
	for i, v := range values {
		pairs[i].A.Held, pairs[i].B.Held = int(v[0]), int(v[1])
	}
	held := func(s Side) (float64, bool) { return float64(s.Held), s.Held >= 0 }
	require.Equal(t, []float64{2, 0.25}, ratios(pairs, ofA(held), ofB(held)))
	require.Equal(t, []float64{0.5, 4}, ratios(pairs, ofB(held), ofA(held)))
}
