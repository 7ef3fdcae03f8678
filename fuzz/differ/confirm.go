package differ

import (
	"context"
	"errors"
	"slices"
	"time"
)

// shrinkSettle is Pair.Settle while a conversation is shrunk: what is found is played once more
// with the whole time.
const shrinkSettle = 50 * time.Millisecond

// Confirm plays a conversation to a fresh pair, up to three times. If a difference
// comes again it is shrunk and returned; else the result is nil.
func Confirm(ctx context.Context, start Start, relaxed bool, c Conversation) (*Difference, error) {
	fresh := func(c Conversation, settle time.Duration) (*Difference, error) {
		pair, err := start(ctx, relaxed)
		if err != nil {
			return nil, err
		}
		if settle > 0 && pair.Settle >= 0 {
			pair.Settle = settle
		}
		d, err := pair.Play(c)
		return d, errors.Join(err, pair.Stop())
	}
	for range 3 {
		d, err := fresh(c, 0)
		if err != nil {
			return nil, err
		}
		if d == nil {
			continue
		}
		small, err := Shrink(c, func(c Conversation) (bool, error) {
			d, err := fresh(c, shrinkSettle)
			return d != nil, err
		})
		if err != nil {
			return d, err
		}
		if smaller, err := fresh(small, 0); smaller != nil || err != nil {
			return smaller, err
		}
		return d, nil
	}
	return nil, nil
}

// history is what a pair of daemons has had, one stream after the other.
type history []stream

// stream is the conversations of one Pair.Stream, by place.
type stream [][]Conversation

// conversations is how many there were.
func (h history) conversations() (n int) {
	for _, s := range h {
		n += s.conversations()
	}
	return n
}

func (s stream) conversations() (n int) {
	for _, given := range s {
		n += len(given)
	}
	return n
}

// add begins a stream, and adds to it what next gives.
func (h *history) add(width int, next func(int) (Conversation, bool)) func(int) (Conversation, bool) {
	s := make(stream, width)
	*h = append(*h, s)
	return func(place int) (Conversation, bool) {
		c, more := next(place)
		if more {
			s[place] = append(s[place], c)
		}
		return c, more
	}
}

// confirm plays the end of the history to fresh pairs, more of it each time, until something
// differs or it was played whole.
func (h history) confirm(ctx context.Context, start Start, relaxed bool) (*Difference, error) {
	for last := 1; ; last *= 2 {
		d, err := h[max(0, len(h)-last):].play(ctx, start, relaxed)
		if d != nil || err != nil || last >= len(h) {
			return d, err
		}
	}
}

// play plays it to a fresh pair, and gives the first difference.
func (h history) play(ctx context.Context, start Start, relaxed bool) (found *Difference, err error) {
	pair, err := start(ctx, relaxed)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pair.Stop()) }()
	had := 0
	for _, s := range h {
		left := slices.Clone(s)
		err := pair.Stream(len(s), func(place int) (Conversation, bool) {
			if len(left[place]) == 0 {
				return Conversation{}, false
			}
			c := left[place][0]
			left[place] = left[place][1:]
			return c, true
		}, func(_ Conversation, d *Difference) {
			if d != nil && found == nil {
				found = d
				found.Before = had
			}
			had++
		})
		if err != nil || found != nil || pair.Spent() {
			return found, err
		}
	}
	return nil, nil
}
