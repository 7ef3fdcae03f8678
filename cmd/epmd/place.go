package main

import (
	"errors"
	"fmt"
	"os"
	"path"
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
	shells      bool   // nothing but shells is between it and process 1, which is one too
	service     string // the unit of systemd in which no process is older; empty if there is none
}

// watchers are programs that take the end of their child for the end of the service.
var watchers = []string{
	"runsv", "s6-supervise", "supervise", "supervisord",
	"tini", "docker-init", "dumb-init", "catatonit", // where they are not process 1
}

// engines are the parents of a container's first process, seen where the container shares
// the processes of the machine. From inside others they are no process: the parent is 0.
var engines = []string{"containerd-shim", "conmon"}

func placeOf(o options) place {
	p := place{
		pid: os.Getpid(), parent: os.Getppid(),
		daemon: o.daemon, systemd: o.systemd, notify: os.Getenv("NOTIFY_SOCKET") != "",
		successor: hasPredecessor(),
	}
	p.parentName = nameOf(p.parent)
	p.shells = onlyShells(p.parent)
	return p
}

// nameOf is the name of a process; empty where it cannot be told, as outside Linux.
func nameOf(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	if watched := strings.TrimSuffix(string(name), "\n"); !strings.HasPrefix(watched, "python") {
		return watched
	}
	// A script that Python was given by name.
	words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	for word := range strings.SplitSeq(string(words), "\x00") {
		if name := path.Base(word); slices.Contains(watchers, name) || name == "supervisor.supervisord" {
			return strings.TrimPrefix(name, "supervisor.")
		}
	}
	return "python"
}

// onlyShells says whether a process and all above it are shells.
func onlyShells(pid int) bool {
	for slices.Contains([]string{"sh", "dash", "bash", "ash", "busybox"}, nameOf(pid)) {
		if pid == 1 {
			return true
		}
		pid = parentOf(pid)
	}
	return false
}

// now is what can be said of the place at this moment.
func (p place) now() place {
	if p.daemon {
		p.service = serviceOf(p.pid)
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
	case p.daemon && p.service != "":
		return fmt.Errorf("systemd may take it for the main process of %s, and would take an upgrade for its end: "+
			"give the unit Type=notify with -systemd, or restart it instead; then nodes register again", p.service)
	case p.daemon:
		return nil
	case p.parent == 0 || slices.Contains(engines, p.parentName):
		return errors.New("a container engine started it, and may end the container with it: replace the container instead")
	case p.shells:
		return errors.New("a shell waits for it that is process 1, or that process 1 waits for: replace the container instead")
	case p.parent == 1 && !p.systemd: // a daemon without -systemd says nothing to systemd
		return errors.New("process 1 started it, and may end everything with it: restart the service, or replace the container, instead; " +
			"under systemd, a unit of Type=notify with -systemd can be upgraded")
	case slices.Contains(watchers, p.parentName):
		return fmt.Errorf("%s watches it, and would take an upgrade for its end: restart it there instead; then nodes register again", p.parentName)
	}
	return nil
}
