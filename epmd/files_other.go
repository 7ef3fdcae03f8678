//go:build !unix

package epmd

// fileLimit is how many files the process may have open; 0 is not known.
func fileLimit() int { return 0 }
