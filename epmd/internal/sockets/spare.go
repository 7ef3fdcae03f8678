package sockets

import (
	"os"
	"sync"
)

// Spare is a descriptor that is reserved for when the process has no other left: a
// connection can then still be accepted and closed, rather than wait without a word.
type Spare struct {
	mu     sync.Mutex
	file   *os.File
	closed bool
}

// Reserve opens the descriptor, if there is one to be had, and says whether it is open.
func (s *Spare) Reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil && !s.closed {
		if s.file, _ = os.Open(os.DevNull); s.file == nil {
			s.file, _ = os.Open(string(os.PathSeparator)) // there may be no /dev
		}
	}
	return s.file != nil
}

// Close closes the descriptor, if it is open, and reserves none any more.
func (s *Spare) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.Release()
}

// Release closes the descriptor, for the next that is opened, and says whether it was
// open.
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
