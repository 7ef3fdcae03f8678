package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// prepare raises the limit of open files, which the daemons inherit, to what the
// plan needs.
func prepare(p Plan) error {
	most := 0
	for _, n := range p.Nodes {
		most = max(most, n)
	}
	need := uint64(most + 8*p.Clients + 256)
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	want := unix.Rlimit{Cur: max(l.Cur, need), Max: max(l.Max, need)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &want); err != nil {
		return fmt.Errorf("%d nodes need %d open files, the limit is %d: raise it as root (ulimit -Hn), or take fewer nodes: %w",
			most, need, l.Max, err)
	}
	return nil
}

func machine() Machine {
	m := Machine{Tracked: tracked()}
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil { // it only fails for a bad address
		m.Kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil { // without /proc the measuring fails later, and says so
		if f := strings.Fields(string(b)); len(f) > 0 {
			m.LoadBefore, _ = strconv.ParseFloat(f[0], 64) // the kernel writes numbers
		}
	}
	return m
}

// tracked is how many connections of this network the kernel tracks; -1 if it has no
// tracking.
func tracked() int {
	b, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_count")
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil {
		return -1
	}
	return n
}

// tick is the unit of /proc/stat on every platform of Linux.
const tick = time.Second / 100

// machineBusy is the CPU time that the machine has spent on anything, all CPUs together,
// what its host took away included; and all the time that there was.
func machineBusy() (busy, all time.Duration, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 {
		return 0, 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	for i, f := range fields[1:9] { // user nice system idle iowait irq softirq steal
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		all += time.Duration(n) * tick
		if i != 3 && i != 4 {
			busy += time.Duration(n) * tick
		}
	}
	return busy, all, nil
}

// ownCPU is the CPU time of this program.
func ownCPU() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}
