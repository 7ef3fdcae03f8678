package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the CPU time that the daemon has taken, with all its threads.
func (d *Daemon) CPU() (time.Duration, error) {
	const schedClock = 2 // the clock that counts nanoseconds on a CPU
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^d.cmd.Process.Pid<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", d.cmd.Process.Pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Resident is the daemon's resident memory in bytes, counted page by page.
func (d *Daemon) Resident() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", d.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("resident memory: %w", err)
	}
	for line := range bytes.Lines(b) {
		var kib int64
		if _, err := fmt.Sscanf(string(line), "Rss: %d kB", &kib); err == nil {
			return kib * 1024, nil
		}
	}
	return 0, errors.New("resident memory: smaps_rollup has no Rss")
}

// Files is how many files the daemon has open.
func (d *Daemon) Files() (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("open files: %w", err)
	}
	return len(entries), nil
}

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
