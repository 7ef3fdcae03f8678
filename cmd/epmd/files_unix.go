//go:build unix

package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// leastConns is how many connections a daemon must have files for: a few nodes, and who asks.
const leastConns = 4

// filesOf is how many files a daemon needs beside what it was given.
func filesOf(o options) int {
	const (
		listeners = 2 // besides those that are named
		loop      = 5 // epoll, two that wake it, a spare one, the duplicate of a listener
		control   = 2 // and one who asks
		state     = 3 // the file that it holds, the next one, its folder
		page      = 4 // and who looks at it
	)
	n := len(strings.FieldsFunc(o.addresses, isSeparator)) + listeners + loop + control + leastConns
	if o.state != "" {
		n += state
	}
	if o.http != "" {
		n += page
	}
	return n
}

// enoughFiles fails if this process may not have so many more files open: the daemon would
// run, and answer nobody.
func enoughFiles(n int) error {
	var files []int
	defer func() {
		for _, fd := range files {
			_ = unix.Close(fd) // it was for the number only
		}
	}()
	time.Sleep(time.Nanosecond) // with the first timer Go opens what it needs for itself
	for len(files) < n {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			var limit unix.Rlimit
			_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) // cannot fail
			return fmt.Errorf("%d open files are needed, and the limit is %d: raise it (ulimit -n, LimitNOFILE= of a unit of systemd): %w",
				uint64(limit.Cur)+uint64(n-len(files)), limit.Cur, err) //nolint:unconvert // it is signed on FreeBSD
		}
		files = append(files, fd)
	}
	return nil
}
