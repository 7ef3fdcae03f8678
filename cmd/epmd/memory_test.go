package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDrain: memory is given back while very many connections go and when they have gone, and
// never for few.
func TestDrain(t *testing.T) {
	for name, tt := range map[string]struct {
		conns []int
		want  []int // after which of them, counted from 0
	}{
		"few":             {[]int{999, 0, 0, 500, 0}, nil},
		"a part":          {[]int{4000, 2001, 2001}, nil},
		"all at once":     {[]int{50000, 0, 0, 0}, []int{1, 2}},
		"slowly":          {[]int{9000, 6000, 4000, 2500, 1900, 1100, 900, 500, 0, 0, 0}, []int{2, 4, 6, 9}},
		"others come":     {[]int{9000, 10, 700, 20, 20}, []int{1, 4}},
		"again":           {[]int{3000, 0, 0, 3000, 3000, 0, 0}, []int{1, 2, 5, 6}},
		"some stay":       {[]int{5000, 1000, 1000, 1000}, []int{1, 2}},
		"nobody ever was": {[]int{0, 0, 0}, nil},
	} {
		var d drain
		var got []int
		for i, n := range tt.conns {
			if d.due(n) {
				got = append(got, i)
			}
		}
		require.Equal(t, tt.want, got, name)
	}
}
