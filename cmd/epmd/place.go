package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// place is what a daemon knows, when it starts, of the processes around it. In an upgrade
// another process takes its place, which must not be one that somebody watches.
type place struct {
	pid, parent int
	parentName  string // as the kernel has it: 15 bytes at most; empty where it cannot be told
	daemon      bool   // started by -daemon
	systemd     bool   // -systemd
	notify      bool   // there is a NOTIFY_SOCKET
	successor   bool   // took over from a daemon that was allowed to be replaced
}

// watchers are programs that take the end of their child for the end of the service.
var watchers = []string{"runsv", "s6-supervise", "supervise", "supervisord", "tini", "dumb-init"}

// engines are the parents of a container's first process, seen where the container shares
// the processes of the machine. From inside others they are no process: the parent is 0.
var engines = []string{"containerd-shim", "conmon"}

func placeOf(o options) place {
	p := place{
		pid: os.Getpid(), parent: os.Getppid(),
		daemon: o.daemon, systemd: o.systemd, notify: os.Getenv("NOTIFY_SOCKET") != "",
		successor: hasPredecessor(),
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.parent))
	if err == nil { // no other system than Linux has it
		p.parentName = strings.TrimSuffix(string(name), "\n")
	}
	return p
}

// irreplaceable says why no other process may take this one's place, and what to do
// instead; nil if one may.
func (p place) irreplaceable() error {
	switch {
	case p.pid == 1:
		return errors.New("it is process 1, with which its container ends: replace the container instead")
	case p.successor:
		return nil
	case p.systemd && !p.notify:
		return errors.New("systemd cannot be told that the main process changes: give the unit Type=notify and NotifyAccess=all, " +
			"or restart it instead; then nodes register again")
	case p.daemon:
		return nil
	case p.parent == 0 || slices.Contains(engines, p.parentName):
		return errors.New("a container engine started it, and may end the container with it: replace the container instead")
	case p.parent == 1 && !p.systemd: // a daemon without -systemd says nothing to systemd
		return errors.New("process 1 started it, and may end everything with it: restart the service, or replace the container, instead; " +
			"under systemd, a unit of Type=notify with -systemd can be upgraded")
	case slices.Contains(watchers, p.parentName):
		return fmt.Errorf("%s watches it, and would take an upgrade for its end: restart it there instead; then nodes register again", p.parentName)
	}
	return nil
}
