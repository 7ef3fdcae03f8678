package testbed

import "syscall"

// probe listens for a moment, in which this program starts no other: that would have a
// copy of the socket until it runs, and who found the port free would find it taken.
func probe(port uint16) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return listenOnce(port)
}
