package sockets

import (
	"os"
	"sync"
)

// Spare is a descriptor that is held for the time when there are no more, so that
// a connection can still be accepted: to be closed, since it would be told
// nothing for as long as it waits.
type Spare struct {
	mu   sync.Mutex
	file *os.File
}

// Keep takes the descriptor, if there is one to be had, and says whether it is
// held.
func (s *Spare) Reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		s.file, _ = os.Open(os.DevNull) // nil, if there is none
	}
	return s.file != nil
}

// Lend gives the descriptor's place to the next that is opened, and says whether
// there was one.
func (s *Spare) Release() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return false
	}
	_ = s.file.Close() // nothing was written
	s.file = nil
	return true
}
