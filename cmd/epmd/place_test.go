package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIrreplaceable: a daemon whose process somebody watches is not replaced, and says why;
// any other is. A successor goes by the place that its predecessor was told of.
func TestIrreplaceable(t *testing.T) {
	t.Parallel()
	const replaceable = ""
	for name, tt := range map[string]struct {
		place
		reason string
	}{
		"of a shell":                   {place{pid: 300, parent: 200, parentName: "bash"}, replaceable},
		"of nobody who can be named":   {place{pid: 300, parent: 200}, replaceable},
		"of docker exec":               {place{pid: 300, parent: 0}, "replace the container"},
		"--pid container:NAME":         {place{pid: 7, parent: 0}, "replace the container"},
		"--pid host":                   {place{pid: 300, parent: 200, parentName: "containerd-shim"}, "replace the container"},
		"--pid host, podman":           {place{pid: 300, parent: 200, parentName: "conmon"}, "replace the container"},
		"-daemon by docker exec":       {place{pid: 300, parent: 299, parentName: "epmd", daemon: true}, replaceable},
		"process 1":                    {place{pid: 1}, "replace the container"},
		"process 1, by -systemd":       {place{pid: 1, systemd: true, notify: true}, "replace the container"},
		"process 1, by -daemon":        {place{pid: 1, daemon: true}, "replace the container"},
		"Type=notify":                  {place{pid: 300, parent: 1, parentName: "systemd", systemd: true, notify: true}, replaceable},
		"Type=simple, -systemd":        {place{pid: 300, parent: 1, parentName: "systemd", systemd: true}, "Type=notify and NotifyAccess=all"},
		"a script's, -systemd":         {place{pid: 300, parent: 200, parentName: "sh", systemd: true}, "Type=notify and NotifyAccess=all"},
		"-systemd, -daemon":            {place{pid: 300, parent: 200, systemd: true, daemon: true}, "Type=notify and NotifyAccess=all"},
		"Type=simple":                  {place{pid: 300, parent: 1, parentName: "systemd"}, "process 1 started it"},
		"Type=notify without -systemd": {place{pid: 300, parent: 1, parentName: "systemd", notify: true}, "process 1 started it"},
		"docker run --init":            {place{pid: 7, parent: 1, parentName: "docker-init"}, "replace the container"},
		"-daemon":                      {place{pid: 300, parent: 299, parentName: "epmd", daemon: true}, replaceable},
		"-daemon, orphaned at once":    {place{pid: 300, parent: 1, parentName: "systemd", daemon: true}, replaceable},
		"-daemon in a service":         {place{pid: 300, parent: 299, parentName: "runsv", daemon: true, notify: true}, replaceable},
		"-daemon, first of a unit":     {place{pid: 300, parent: 1, daemon: true, service: "erl.service"}, "main process of erl.service"},
		"a shell in a container":       {place{pid: 9, parent: 7, parentName: "sh", shells: true}, "replace the container"},
		"docker run --init --pid host": {place{pid: 300, parent: 200, parentName: "docker-init"}, "docker-init watches it"},
		"catatonit":                    {place{pid: 300, parent: 200, parentName: "catatonit"}, "catatonit watches it"},
		"runit":                        {place{pid: 300, parent: 200, parentName: "runsv"}, "runsv watches it"},
		"s6":                           {place{pid: 300, parent: 200, parentName: "s6-supervise"}, "s6-supervise watches it"},
		"daemontools":                  {place{pid: 300, parent: 200, parentName: "supervise"}, "supervise watches it"},
		"supervisor":                   {place{pid: 300, parent: 200, parentName: "supervisord"}, "supervisord watches it"},
		"tini as a subreaper":          {place{pid: 300, parent: 200, parentName: "tini"}, "tini watches it"},
		"dumb-init":                    {place{pid: 300, parent: 200, parentName: "dumb-init"}, "dumb-init watches it"},
		"a name that only begins so":   {place{pid: 300, parent: 200, parentName: "runsvdir"}, replaceable},
		"a successor, now an orphan":   {place{pid: 300, parent: 1, parentName: "systemd", successor: true}, replaceable},
		"a successor by -systemd":      {place{pid: 300, parent: 1, systemd: true, notify: true, successor: true}, replaceable},
		"a successor of a subreaper's": {place{pid: 300, parent: 200, parentName: "tini", successor: true}, replaceable},
	} {
		err := tt.irreplaceable()
		if tt.reason == replaceable {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, tt.reason, name)
	}
}

// TestPlaceOfDaemon: this process has an older one in whatever group it is, or is in none of a
// service; it is no shell's of a container; and its own place can be replaced.
func TestPlaceOfDaemon(t *testing.T) {
	t.Parallel()
	p := placeOf(options{daemon: true}).now()
	require.Equal(t, os.Getpid(), p.pid)
	require.Equal(t, os.Getppid(), p.parent)
	if runtime.GOOS != "linux" {
		return
	}
	require.NotEmpty(t, p.parentName)
	require.Equal(t, p.parent, parentOf(p.pid))
	require.Zero(t, parentOf(-1))
	require.Less(t, startOf(p.parent), startOf(p.pid))
	require.EqualValues(t, uint64(math.MaxUint64), startOf(-1), "who is gone is not older")
	group := t.TempDir()
	procs := func(text string) { require.NoError(t, os.WriteFile(group+"/cgroup.procs", []byte(text), 0o600)) }
	require.False(t, hasOlder(group, p.pid))
	procs(fmt.Sprintf("%d\n", p.pid))
	require.False(t, hasOlder(group, p.pid))
	procs(fmt.Sprintf("%d\n%d\n", p.pid, p.parent))
	require.True(t, hasOlder(group, p.pid))
	require.False(t, hasOlder(group, p.parent), "a younger one, such as who asks for an upgrade, does not count")
}
