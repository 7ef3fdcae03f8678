// Package systemd tests the units on a machine that a real systemd runs: a container.
package systemd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otpimages"
	"github.com/goepmd/goepmd/internal/otptest"
)

// patience is for what should happen at once, on a machine that is busy.
const patience = time.Minute

// machine is a container that systemd runs.
type machine struct {
	t  *testing.T
	id string
}

// rights are what systemd needs of the engine: all, or as little as works where not
// all can be given.
var rights = [][]string{
	{"--privileged"},
	{"--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"},
}

// boot starts a machine with our program and units, none of them enabled.
func boot(t *testing.T) *machine {
	t.Helper()
	otptest.Heavy(t)
	ref, here, err := otpimages.Ref(t.Context(), "systemd")
	if err != nil || !here {
		otptest.Missing(t, fmt.Sprintf("the image with systemd (go run ./docker/otp-images systemd; %v)", err))
	}
	var why []string
	for _, r := range rights {
		words := append([]string{"run", "-d", "--network", "none", "--cgroupns", "private",
			"--tmpfs", "/run", "--tmpfs", "/tmp", "-e", "container=docker"}, r...)
		out, err := exec.CommandContext(t.Context(), "docker", append(words, ref, "/lib/systemd/systemd", "--unit=multi-user.target")...).Output()
		m := &machine{t: t, id: strings.TrimSpace(string(out))}
		if m.id != "" {
			t.Cleanup(func() {
				out, err := exec.Command("docker", "rm", "--force", "--volumes", m.id).CombinedOutput()
				require.NoError(t, err, "%s", out)
			})
		}
		if err == nil && m.isUp() {
			m.furnish()
			return m
		}
		why = append(why, fmt.Sprintf("with %v: %v", r, err))
	}
	otptest.Missing(t, fmt.Sprintf("a docker engine that lets systemd run in a container (%s)", why))
	return nil
}

// isUp waits until systemd has done what it does at first.
func (m *machine) isUp() bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		switch out, _ := m.try("systemctl", "is-system-running"); strings.TrimSpace(out) { // fails until then
		case "running", "degraded":
			return true
		}
	}
	return false
}

// furnish installs the program and the units as a package does.
func (m *machine) furnish() {
	m.t.Helper()
	program := m.t.TempDir() + "/epmd"
	out, err := exec.CommandContext(m.t.Context(), "../../scripts/release-build.sh", "epmd", program).CombinedOutput()
	require.NoError(m.t, err, "%s", out)
	for from, to := range map[string]string{
		program:          "/usr/bin/goepmd",
		"goepmd.service": "/usr/lib/systemd/system/goepmd.service",
		"goepmd.socket":  "/usr/lib/systemd/system/goepmd.socket",
	} {
		out, err := exec.CommandContext(m.t.Context(), "docker", "cp", from, m.id+":"+to).CombinedOutput()
		require.NoError(m.t, err, "%s", out)
	}
	m.run("systemctl", "daemon-reload")
}

// try runs a command on the machine, and gives what it wrote.
func (m *machine) try(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", append([]string{"exec", m.id}, words...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// run is try for what must succeed.
func (m *machine) run(words ...string) string {
	m.t.Helper()
	out, err := m.try(words...)
	require.NoError(m.t, err, "%q: %s\n%s", words, out, m.journal())
	return out
}

// journal is the end of the machine's.
func (m *machine) journal() string {
	out, _ := m.try("journalctl", "--no-pager", "-n", "40") // only to be shown
	return out
}

// shows waits until a unit has these properties, each as NAME=VALUE.
func (m *machine) shows(unit string, want ...string) {
	m.t.Helper()
	var got string
	ok := func() bool {
		got = m.run("systemctl", "show", unit)
		for _, w := range want {
			if !strings.Contains("\n"+got, "\n"+w+"\n") {
				return false
			}
		}
		return true
	}
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			require.Fail(m.t, "it is not so", "%s is not %q\n%s\n%s", unit, want, got, m.journal())
		}
	}
}

// waitFor waits until EPMD's list holds a text.
func (m *machine) waitFor(text string) {
	m.t.Helper()
	require.Eventually(m.t, func() bool {
		out, err := m.try("goepmd", "-names")
		return err == nil && strings.Contains(out, text)
	}, patience, 100*time.Millisecond, text)
}

const active, once = "ActiveState=active", "NRestarts=0"

// TestUnits plays one thing after the other on one machine; nothing of it runs when
// one begins.
func TestUnits(t *testing.T) {
	booted := boot(t)
	for _, play := range []struct {
		name string
		run  func(*machine)
	}{
		{"verify", verify},
		{"serves", serves},
		{"keeps", keeps},
		{"reloads", reloads},
		{"upgrade heard from the main process alone", heardFromMainAlone},
		{"Debian's unit refuses an upgrade", debiansUnit},
		{"a unit without systemd's socket refuses an upgrade", plainUnit},
		{"port held by OTP's", func(m *machine) { portHeld(m, "epmd") }},
		{"port held by ours", func(m *machine) { portHeld(m, "goepmd") }},
		{"port held by something else", portHeldByOther},
		{"takes over", takesOver},
		{"wrong is final", wrongIsFinal},
	} {
		t.Run(play.name, func(t *testing.T) {
			m := &machine{t: t, id: booted.id}
			m.run("systemctl", "stop", "goepmd.socket", "goepmd.service", "epmd.socket", "epmd.service")
			m.run("systemctl", "reset-failed")
			play.run(m)
		})
	}
}

// verify: systemd finds nothing wrong with the units, and little that the service could
// do.
func verify(m *machine) {
	require.Empty(m.t, m.run("systemd-analyze", "verify", "--man=no", "goepmd.service", "goepmd.socket"))
	m.run("systemd-analyze", "security", "--no-pager", "--threshold=20", "goepmd.service")
	m.shows("goepmd.socket", "BindIPv6Only=both")
}

// serves: a node registers with it, and comes back when it was killed; when it was
// told to end, the next who asks starts it.
func serves(m *machine) {
	m.run("systemctl", "enable", "--now", "goepmd.service")
	m.shows("goepmd.service", active, "SubState=running", once)
	m.shows("goepmd.socket", active, "SubState=running")
	m.run("systemd-run", "--unit=node", "--setenv=HOME=/tmp", "erl", "-noinput", "-sname", "alpha@localhost", "-setcookie", "c", "-start_epmd", "false")
	m.waitFor("name alpha at port ")

	m.run("systemctl", "kill", "--signal=KILL", "goepmd.service")
	m.shows("goepmd.service", active, "NRestarts=1")
	m.waitFor("name alpha at port ")

	m.run("systemctl", "stop", "node.service")
	require.Eventually(m.t, func() bool { return m.run("goepmd", "-names") == "epmd: up and running on port 4369 with data:\n" }, patience, 100*time.Millisecond)
	require.Equal(m.t, "Killed\n", m.run("goepmd", "-kill"))
	m.shows("goepmd.service", "ActiveState=inactive", "Result=success")
	m.run("goepmd", "-names")
	m.shows("goepmd.service", active)

	m.run("systemctl", "restart", "goepmd.service")
	m.shows("goepmd.service", active, once)
	require.NotContains(m.t, m.run("journalctl", "--no-pager", "-u", "goepmd.service"), "cannot be used", "an empty journal is nothing wrong")
	m.run("systemctl", "disable", "--now", "goepmd.service", "goepmd.socket")
	m.shows("goepmd.service", "ActiveState=inactive", "Result=success")
}

// keeps: the name of a client that never registers again outlives a kill, a reload,
// which is an upgrade, and a restart; it ends with its connection.
func keeps(m *machine) {
	m.run("systemctl", "start", "goepmd.service")
	m.hold(1)
	const listed = "name held1 at port 9000\n"
	mainPID := func() string { return m.mainPID("goepmd.service") }

	first := mainPID()
	m.run("systemctl", "kill", "--signal=KILL", "goepmd.service")
	m.shows("goepmd.service", active, "SubState=running", "NRestarts=1")
	require.Contains(m.t, m.run("goepmd", "-names"), listed)
	require.NotEqual(m.t, first, mainPID())

	second := mainPID()
	m.run("systemctl", "reload", "goepmd.service")
	require.Eventually(m.t, func() bool { return mainPID() != second }, patience, 100*time.Millisecond)
	m.shows("goepmd.service", active, "SubState=running", "NRestarts=1")
	require.Contains(m.t, m.run("goepmd", "-names"), listed)

	m.run("systemctl", "restart", "goepmd.service")
	m.shows("goepmd.service", active, "SubState=running")
	require.Contains(m.t, m.run("goepmd", "-names"), listed)

	m.run("systemctl", "stop", "held.service")
	require.Eventually(m.t, func() bool { return !strings.Contains(m.run("goepmd", "-names"), listed) }, patience, 100*time.Millisecond)
}

// hold registers held1 and further names from clients that never register again.
func (m *machine) hold(names int) {
	m.t.Helper()
	m.t.Cleanup(func() { _, _ = m.try("systemctl", "stop", "held.service") }) // where the test has not come to it
	m.run("systemd-run", "--unit=held", "--setenv=HOME=/tmp", "erl", "-noinput", "-eval",
		fmt.Sprintf(`[begin {ok, S} = gen_tcp:connect({127,0,0,1}, 4369, [binary, {active, false}, {packet, 2}]), `+
			`N = list_to_binary("held" ++ integer_to_list(I)), `+
			`ok = gen_tcp:send(S, <<"x", 9000:16, "M", 0, 6:16, 5:16, (byte_size(N)):16, N/binary, 0:16>>) end `+
			`|| I <- lists:seq(1, %d)], receive after infinity -> ok end.`, names))
	require.Eventually(m.t, func() bool {
		out, err := m.try("goepmd", "-names")
		return err == nil && strings.Count(out, "name held") == names
	}, patience, 100*time.Millisecond)
}

// requireHeld wants all names of hold to be there.
func (m *machine) requireHeld(names int) {
	m.t.Helper()
	list := m.run("goepmd", "-names")
	if n := strings.Count(list, "name held"); n != names {
		require.Fail(m.t, "names are lost", "%d of %d are left\n%s", n, names, m.journal())
	}
}

func (m *machine) mainPID(unit string) string {
	m.t.Helper()
	return m.run("systemctl", "show", "--property=MainPID", "--value", unit)
}

// reloads: no name is lost by reloads in bursts, upgrades that are asked for otherwise among
// them. GOEPMD_RELOADS says how many, of which 100 are a sample.
func reloads(m *machine) {
	const names, burst, sample = 20, 10, 100
	all := sample
	if v := os.Getenv("GOEPMD_RELOADS"); v != "" {
		var err error
		all, err = strconv.Atoi(v)
		require.NoError(m.t, err)
	}
	m.run("systemctl", "start", "goepmd.service")
	m.hold(names)
	refused := 0
	for done := 0; done < all; done += burst {
		before := m.mainPID("goepmd.service")
		// A reload says that it failed if it finds the process gone that another has just
		// replaced. One in a burst is not waited for, and one is no reload to systemd.
		out := m.run("sh", "-c", `systemctl reload --no-block goepmd.service; systemctl kill --kill-who=main --signal=USR2 goepmd.service
			for i in 3 4 5 6 7 8 9 10; do systemctl reload goepmd.service 2>/dev/null || echo refused; done`)
		refused += strings.Count(out, "refused")
		m.requireHeld(names)
		m.shows("goepmd.service", active, "SubState=running", once)
		require.NotEqual(m.t, before, m.mainPID("goepmd.service"))
	}
	m.t.Logf("%d reloads, %d of which found the process gone; the whole is GOEPMD_RELOADS=1000", all, refused)
	require.Less(m.t, refused, all/2, "most of them are done")
	m.run("systemctl", "stop", "goepmd.service", "goepmd.socket")
}

// dropIn changes a unit for the length of a play.
func (m *machine) dropIn(unit, text string) {
	m.t.Helper()
	dir := "/run/systemd/system/" + unit + ".d"
	m.t.Cleanup(func() {
		m.run("rm", "-r", dir)
		m.run("systemctl", "daemon-reload")
	})
	m.run("mkdir", "-p", dir)
	m.run("sh", "-c", fmt.Sprintf("printf '%s' >%s/test.conf", text, dir))
	m.run("systemctl", "daemon-reload")
}

// heardFromMainAlone: a unit that says no more than Type=notify loses nothing either, though
// systemd does not hear the successor before it is the main process.
func heardFromMainAlone(m *machine) {
	m.dropIn("goepmd.service", `[Service]\nNotifyAccess=main\n`)
	m.run("systemctl", "start", "goepmd.service")
	m.hold(1)
	for range 5 {
		before := m.mainPID("goepmd.service")
		require.Contains(m.t, m.run("goepmd", "-upgrade"), "Upgraded")
		require.NotEqual(m.t, before, m.mainPID("goepmd.service"))
		m.run("systemctl", "reload", "goepmd.service")
		m.shows("goepmd.service", active, "SubState=running", once)
		m.requireHeld(1)
	}
	m.run("systemctl", "stop", "goepmd.service", "goepmd.socket")
}

// refusesUpgrades: the daemon of a unit says why it goes on, and does, with all names.
func (m *machine) refusesUpgrades(unit, reason string) {
	m.t.Helper()
	m.hold(1)
	before := m.mainPID(unit)
	out, err := m.try("goepmd", "-upgrade")
	require.Error(m.t, err)
	require.Contains(m.t, out, "the daemon goes on as it is: ")
	require.Contains(m.t, out, reason)
	m.run("systemctl", "kill", "--signal=USR2", unit)
	require.Eventually(m.t, func() bool {
		return strings.Count(m.run("journalctl", "--no-pager", "-u", unit), "cannot be replaced while it runs, and goes on") == 2
	}, patience, 100*time.Millisecond, "the log says so, each time")
	m.shows(unit, active, "SubState=running", once)
	require.Equal(m.t, before, m.mainPID(unit))
	m.requireHeld(1)
}

// debiansUnit: our program in the unit of Debian's Erlang, Type=simple, where systemd cannot
// be told that the main process changes. Its user is not on this machine.
func debiansUnit(m *machine) {
	m.dropIn("epmd.service", `[Service]\nExecStart=\nExecStart=/usr/bin/goepmd -systemd\nUser=nobody\nGroup=nogroup\n`)
	m.run("systemctl", "start", "epmd.socket", "epmd.service")
	m.shows("epmd.service", active, "Type=simple")
	m.refusesUpgrades("epmd.service", "give the unit Type=notify and NotifyAccess=all, or restart it instead")
	m.run("systemctl", "stop", "epmd.socket", "epmd.service")
}

// plainUnit: the same for a unit that starts the program as OTP's is started.
func plainUnit(m *machine) {
	m.run("systemd-run", "--unit=plain", "goepmd")
	m.t.Cleanup(func() { m.run("systemctl", "stop", "plain.service") })
	m.waitFor("epmd: up and running")
	m.refusesUpgrades("plain.service", "process 1 started it")
}

// portHeld: while another EPMD holds the port, a start fails at once, says why, and is
// not repeated; when the other has gone, it works.
func portHeld(m *machine, other string) {
	m.run(other, "-daemon")
	m.t.Cleanup(func() { _, _ = m.try("goepmd", "-kill") }) // where the test has not come to it
	m.waitFor("epmd: up and running")
	out, err := m.try("systemctl", "start", "goepmd.service")
	require.Error(m.t, err)
	require.Contains(m.t, out, "dependency job")
	m.shows("goepmd.service", "ActiveState=inactive", once)
	m.shows("goepmd.socket", "ActiveState=failed")
	require.Contains(m.t, m.run("journalctl", "--no-pager", "-u", "goepmd.socket", "-n", "10"),
		"another epmd holds the port: end it (epmd -kill), or disable this unit")
	require.Equal(m.t, "Killed\n", m.run("goepmd", "-kill"))
	m.run("systemctl", "start", "goepmd.service")
	m.shows("goepmd.service", active, once)
}

// portHeldByOther: the same where what holds the port is no EPMD, and never answers.
func portHeldByOther(m *machine) {
	m.t.Cleanup(func() { m.run("systemctl", "stop", "other.service") })
	m.run("systemd-run", "--unit=other", "--setenv=HOME=/tmp", "erl", "-noinput", "-eval",
		`{ok, _} = gen_tcp:listen(4369, [inet6, {reuseaddr, true}]), io:format("it ~s~n", ["listens"]), receive after infinity -> ok end.`)
	require.Eventually(m.t, func() bool {
		out, err := m.try("journalctl", "--no-pager", "-u", "other.service")
		return err == nil && strings.Contains(out, "it listens")
	}, patience, 100*time.Millisecond)
	_, err := m.try("systemctl", "start", "goepmd.service")
	require.Error(m.t, err)
	m.shows("goepmd.service", "ActiveState=inactive", once)
	m.shows("goepmd.socket", "ActiveState=failed", "Result=resources")
	// Whoever it is that tries for the socket is not always taken for a part of the unit.
	require.Contains(m.t, m.journal(), "Address already in use")
}

// takesOver: the unit of Debian's Erlang, which holds the port, is stopped.
func takesOver(m *machine) {
	m.run("systemctl", "start", "epmd.socket")
	m.shows("epmd.socket", active)
	m.run("systemctl", "start", "goepmd.service")
	m.shows("goepmd.service", active, once)
	m.shows("epmd.socket", "ActiveState=inactive")
	m.run("goepmd", "-names")
}

// wrongIsFinal: what no other start mends is not started again. What our units avoid
// would be: Type=notify without -systemd.
func wrongIsFinal(m *machine) {
	dir := "/run/systemd/system/goepmd.service.d"
	m.run("mkdir", "-p", dir)
	m.run("sh", "-c", `printf '[Service]\nEnvironment=ERL_EPMD_PORT=abc\n' >`+dir+"/wrong.conf")
	m.run("systemctl", "daemon-reload")
	_, err := m.try("systemctl", "start", "goepmd.service")
	require.Error(m.t, err)
	m.shows("goepmd.service", "ActiveState=failed", "Result=exit-code", once)
	require.Contains(m.t, m.journal(), "ERL_EPMD_PORT is")
	m.run("systemctl", "stop", "goepmd.socket")

	m.run("goepmd", "-daemon")
	m.run("sh", "-c", `printf '[Service]\nType=notify\nExecStart=/usr/bin/goepmd\nRestart=on-failure\n' >/run/systemd/system/loop.service`)
	m.run("systemctl", "daemon-reload")
	_, err = m.try("systemctl", "start", "loop.service")
	require.Error(m.t, err)
	m.shows("loop.service", "ActiveState=failed", "Result=protocol", "NRestarts=5")
}
