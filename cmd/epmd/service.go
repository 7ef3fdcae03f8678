package main

import (
	"fmt"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// serviceOf is the service of systemd to which a process belongs and in which none is older:
// systemd takes such a one for the main process where the one that it started has gone
// (Type=forking). It is empty if there is none, as where a node of the service has started
// the daemon.
func serviceOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "" // not Linux, or no groups of processes
	}
	for line := range strings.Lines(string(text)) {
		_, group, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "::")
		if !ok { // of a controller of version 1
			_, group, _ = strings.Cut(strings.TrimSuffix(line, "\n"), ":name=systemd:")
		}
		unit := path.Base(group)
		if !strings.HasSuffix(unit, ".service") {
			continue
		}
		for _, root := range []string{"", "unified", "systemd"} {
			if hasOlder(path.Join("/sys/fs/cgroup", root, group), pid) {
				return ""
			}
		}
		return unit
	}
	return ""
}

// hasOlder says whether a group has a process that was started before this one.
func hasOlder(group string, pid int) bool {
	text, err := os.ReadFile(group + "/cgroup.procs")
	if err != nil {
		return false // who cannot be seen may not be there
	}
	mine := startOf(pid)
	for other := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(other); err == nil && startOf(n) < mine {
			return true
		}
	}
	return false
}

// startOf is when a process was started, in ticks since the boot; the highest number of one
// that is gone.
func startOf(pid int) uint64 {
	const start = 22
	n, err := strconv.ParseUint(statOf(pid, start), 10, 64)
	if err != nil {
		return math.MaxUint64
	}
	return n
}

// parentOf is the parent of a process; 0 if there is none that can be seen.
func parentOf(pid int) int {
	const parent = 4
	n, _ := strconv.Atoi(statOf(pid, parent)) // or it is gone
	return n
}

// statOf is a field of proc(5)'s stat, by its number there, which is above 2.
func statOf(pid, field int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name, which is the second, may hold anything.
	rest := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(rest) < field-2 {
		return ""
	}
	return rest[field-3]
}
