package differ

import (
	"slices"
	"time"
)

// shrinkTries and shrinkTime bound how often a conversation is played while it is shrunk,
// and for how long.
const (
	shrinkTries = 300
	shrinkTime  = 5 * time.Second
)

// Shrink makes a conversation smaller for which bad is true, as long as it stays so: it
// drops steps, and parts of what is sent. bad is called a few hundred times, and for five
// seconds, at most. An error of it ends the search.
func Shrink(c Conversation, bad func(Conversation) (bool, error)) (Conversation, error) {
	s := shrinker{bad: bad, best: c, begun: time.Now()}
	for again := true; again && !s.over(); {
		again = s.dropSteps() || s.dropBytes()
	}
	return s.best, s.err
}

type shrinker struct {
	bad   func(Conversation) (bool, error)
	best  Conversation
	tries int
	begun time.Time
	err   error
}

func (s *shrinker) over() bool {
	return s.tries >= shrinkTries || s.err != nil || time.Since(s.begun) >= shrinkTime
}

// try takes steps if they are still bad.
func (s *shrinker) try(steps []Step) bool {
	if s.over() {
		return false
	}
	s.tries++
	c := Conversation{Steps: steps, Prefix: s.best.Prefix}
	bad, err := s.bad(c)
	s.err = err
	if bad && err == nil {
		s.best = c
		return true
	}
	return false
}

// dropSteps drops runs of steps, long ones first.
func (s *shrinker) dropSteps() bool {
	dropped := false
	for n := len(s.best.Steps) / 2; n > 0; n /= 2 {
		for at := 0; at+n <= len(s.best.Steps) && len(s.best.Steps) > n; {
			if s.try(slices.Delete(slices.Clone(s.best.Steps), at, at+n)) {
				dropped = true
			} else {
				at += n
			}
		}
	}
	return dropped
}

// dropBytes drops runs of bytes, long ones first.
func (s *shrinker) dropBytes() bool {
	dropped := false
	for i := range s.best.Steps {
		for n := len(s.best.Steps[i].Bytes) / 2; n > 0; n /= 2 {
			for at := 0; at+n <= len(s.best.Steps[i].Bytes); {
				steps := slices.Clone(s.best.Steps)
				steps[i].Bytes = slices.Delete(slices.Clone(steps[i].Bytes), at, at+n)
				if s.try(steps) {
					dropped = true
				} else {
					at += n
				}
			}
		}
	}
	return dropped
}
