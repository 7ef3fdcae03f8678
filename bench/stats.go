package bench

import (
	"math"
	"slices"
)

// A Spread is how figures are spread: median, quartiles, extremes. N is how many
// figures there were; without any the rest is zero.
type Spread struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Low    float64 `json:"low"` // a quarter is below
	Median float64 `json:"median"`
	High   float64 `json:"high"` // a quarter is above
	Max    float64 `json:"max"`
}

// NewSpread is the spread of figures, in any order.
func NewSpread(all []float64) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	s := slices.Sorted(slices.Values(all))
	return Spread{
		N: len(s), Min: s[0], Low: quantile(s, 0.25), Median: quantile(s, 0.5),
		High: quantile(s, 0.75), Max: s[len(s)-1],
	}
}

// quantile is the value below which the share q of the sorted figures lies; between two
// figures it is on the line that joins them. There is at least one.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(math.Floor(at))
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}

// percentile is the smallest of the sorted figures that at least the share q of
// them do not exceed: one that was measured. Zero if there are none.
func percentile[T any](sorted []T, q float64) T {
	if len(sorted) == 0 {
		var none T
		return none
	}
	// The small amount keeps 0.99 × 100 from being more than 99.
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// ratios are the quotients of figures pair by pair. A pair that lacks one of its two has
// none, nor one of which a figure is too small to be told from nothing.
func ratios(pairs []Pair, over, under func(Pair) (float64, bool)) []float64 {
	var all []float64
	for _, p := range pairs {
		x, ok := over(p)
		y, too := under(p)
		if ok && too && x > 0 && y > 0 {
			all = append(all, x/y)
		}
	}
	return all
}
