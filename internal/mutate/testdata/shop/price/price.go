// Package price is mutated by the tests of the runner.
package price

import "errors"

const limit uint8 = 255

var errHigh = errors.New("too high")

// Total adds up prices, and refuses more than the limit.
func Total(prices ...int) (int, error) {
	sum := 0
	for _, p := range prices {
		sum += p
	}
	if sum > int(limit) {
		return 0, errHigh
	}
	return sum, nil
}

// Halves says how often a number can be halved. A mutant of it has no end.
func Halves(n int) int {
	times := 0
	for n > 1 {
		n /= 2
		times++
	}
	return times
}

// Free is told by no test.
func Free(sum int) bool {
	return sum == 0
}

// Greeting is noticed by the tests of till alone.
func Greeting(_ string) string {
	return "hello"
}

// Pair has parameters without a name and types of its own.
func Pair[T any, N int | uint](_ T, n N, _ ...string) N {
	return n + 1
}

type shelf[T any] struct{ things []T }

func newShelf[T any](things ...T) *shelf[T] {
	made := things
	return &shelf[T]{things: made}
}

func (s *shelf[T]) put(t T) {
	s.things = append(s.things, t)
}

func (shelf[_]) kind() string { return "shelf" }

// Square is told by a test that does not pass with a bundle.
func Square(n int) int { return n * n }
