//go:build unix

package epmd

import "golang.org/x/sys/unix"

// fileLimit is how many files the process may have open; 0 is not known. (The Go
// runtime raises the soft limit to the hard one when a program starts.)
func fileLimit() int {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return int(min(uint64(l.Cur), 1<<30)) //nolint:unconvert // it is signed on FreeBSD
}
