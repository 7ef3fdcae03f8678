package rig

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// RaiseFiles raises the limit of open files of this process and its children to n, if
// it may, and gives what the limit is then.
func RaiseFiles(n uint64) (uint64, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	if l.Cur < n {
		// Not everybody may raise the hard limit, but everybody the soft one up to it.
		for _, hard := range []uint64{max(l.Max, n), l.Max} {
			want := unix.Rlimit{Cur: min(n, hard), Max: hard}
			if unix.Setrlimit(unix.RLIMIT_NOFILE, &want) == nil {
				break
			}
		}
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
			return 0, fmt.Errorf("limit of open files: %w", err)
		}
	}
	return l.Cur, nil
}
