//go:build !linux

package testbed

// probe listens for a moment. Elsewhere the net package takes the lock itself that would
// keep this program from starting another meanwhile.
func probe(port uint16) error { return listenOnce(port) }
