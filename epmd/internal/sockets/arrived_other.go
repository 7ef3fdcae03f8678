//go:build !unix && !windows

package sockets

import "errors"

const (
	tellsArrived = false
	peek         = 0
)

// receive is never called here.
func receive(uintptr, []byte, int) (int, error) { return 0, errors.ErrUnsupported }

// Readable cannot know here.
func Readable(int, bool) bool { return false }
