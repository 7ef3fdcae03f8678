package testbed

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the CPU time that the program has taken, in user and kernel mode, with all its
// threads, also those that have ended. It is the process's CPU clock: what /proc/PID/stat
// shows is the same account in steps of 10 ms, and the sum of
// /proc/PID/task/*/schedstat lacks ended threads.
func (p *Process) CPU() (time.Duration, error) {
	const schedClock = 2 // the clock that counts nanoseconds on a CPU
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.PID()<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", p.PID(), err)
	}
	return time.Duration(ts.Nano()), nil
}

// Resident is its resident memory in bytes, counted page by page: the figure in
// /proc/PID/status may be off by some pages for each CPU.
func (p *Process) Resident() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID()))
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

// Files is how many files it has open.
func (p *Process) Files() (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		return 0, fmt.Errorf("open files: %w", err)
	}
	return len(entries), nil
}
