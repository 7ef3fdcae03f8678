// Package systemd tests the units on a machine that a real systemd runs: a container.
package systemd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
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
			"--sysctl", "net.ipv6.bindv6only=1", "--sysctl", "net.ipv6.conf.lo.disable_ipv6=0",
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
	refused := []string{"cannot be replaced while it runs, and goes on"}
	held := []string{"another epmd holds the port", "Failed with result 'exit-code'", "Failed to listen on goepmd.socket", "Dependency failed for goepmd.service"}
	for _, play := range []struct {
		name string
		run  func(*machine)
		// wrong is what the journal says of the units at priority warning and above, or the
		// daemon at any: a part of each line. Where nothing is wrong it says nothing.
		wrong []string
		// allowed is what it may say, and need not.
		allowed []string
	}{
		{"verify", verify, nil, nil},
		{"serves", serves, append([]string{byKill}, killed...), nil},
		{"keeps", keeps, killed, nil},
		{"reloads", reloads, nil, []string{"Reload failed for goepmd.service"}},
		{"both families", bothFamilies, nil, nil},
		{"users cannot close the port", usersCannotClose, []string{byKill}, nil},
		{"other sockets", otherSockets, nil, nil},
		{"settings without effect", overridden, []string{"-address says nothing under -systemd", "ERL_EPMD_PORT says nothing under -systemd"}, nil},
		{"keeps as many as it may", keepsSoMany, []string{"systemd keeps no more connections"}, nil},
		{"keeps nothing", keepsNothing, nil, nil},
		{"upgrade heard from the main process alone", heardFromMainAlone, nil, nil},
		{"Debian's unit refuses an upgrade", debiansUnit, refused, nil},
		{"a unit without systemd's socket refuses an upgrade", plainUnit, refused, nil},
		{"a forking unit refuses an upgrade", forkingUnit, []string{"this daemon cannot be replaced while it runs"}, nil},
		{"a node's own epmd is upgraded", daemonOfNode, nil, nil},
		{"port held by OTP's", func(m *machine) { portHeld(m, "epmd") }, held, nil},
		{"port held by ours", func(m *machine) { portHeld(m, "goepmd") }, held, nil},
		{"port held by something else", portHeldByOther, []string{"Failed with result 'resources'", "Failed to listen on goepmd.socket", "Dependency failed for goepmd.service"}, []string{"Address already in use", "Failed to receive listening socket", "Failed to listen on sockets"}},
		{"takes over", takesOver, nil, nil},
		{"wrong is final", wrongIsFinal, []string{"ERL_EPMD_PORT is", "Failed with result 'exit-code'", "Failed to start goepmd.service"}, nil},
	} {
		t.Run(play.name, func(t *testing.T) {
			m := &machine{t: t, id: booted.id}
			stop := func() {
				m.run("systemctl", "stop", "goepmd.socket", "goepmd.service", "epmd.socket", "epmd.service")
			}
			stop()
			m.run("systemctl", "reset-failed")
			since := m.cursor()
			play.run(m)
			stop()
			m.requireComplaints(since, play.wrong, play.allowed)
		})
	}
}

// byKill is what the daemon says of its end by epmd -kill.
const byKill = "killed by a KILL_REQ"

// killed is what systemd says of a daemon that is killed.
var killed = []string{"Main process exited, code=killed, status=9/KILL", "Failed with result 'signal'"}

// theirs are the units whose journal is read.
var theirs = []string{"-u", "goepmd.service", "-u", "goepmd.socket", "-u", "epmd.service", "-u", "epmd.socket", "-u", "plain.service", "-u", "forking.service"}

// cursor is the end of the journal, at a line of nobody's. (With --after-cursor the first line
// that is asked for is left out where the cursor's own is not.)
func (m *machine) cursor() string {
	m.t.Helper()
	m.run("systemd-cat", "-t", "mark", "echo", "mark")
	m.run("journalctl", "--sync")
	_, cursor, found := strings.Cut(m.run("journalctl", "--no-pager", "-n", "1", "-t", "mark", "-o", "cat", "--show-cursor"), "-- cursor: ")
	require.True(m.t, found)
	return strings.TrimSpace(cursor)
}

// requireComplaints holds what the journal says since a cursor to what is expected: each line
// has one of the parts, and each part is in a line.
func (m *machine) requireComplaints(since string, parts, allowed []string) {
	m.t.Helper()
	m.run("journalctl", "--sync")
	read := append([]string{"journalctl", "--no-pager", "--quiet", "-o", "cat", "--cursor", since}, theirs...)
	all := m.run(append(read, "-p", "warning")...) + m.run("journalctl", "--no-pager", "--quiet", "-o", "cat", "--cursor", since, "-t", "goepmd")
	for line := range strings.Lines(all) {
		if strings.Contains(line, "compat systemd cgroup") {
			continue // that there are groups of two versions is the container's
		}
		require.True(m.t, slices.ContainsFunc(slices.Concat(parts, allowed), func(p string) bool { return strings.Contains(line, p) }), "nothing is wrong, and the journal says: %s", line)
	}
	for _, p := range parts {
		require.Contains(m.t, all, p)
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

// bothFamilies: the port is reached by IPv4 and IPv6 where the system keeps them apart.
func bothFamilies(m *machine) {
	require.Equal(m.t, "1\n", m.run("cat", "/proc/sys/net/ipv6/bindv6only"))
	m.run("systemctl", "start", "goepmd.service")
	for _, address := range []string{"{127,0,0,1}", "{0,0,0,0,0,0,0,1}"} {
		out := m.erl(`{ok, S} = gen_tcp:connect(` + address + `, 4369, [binary, {active, false}]), ok = gen_tcp:send(S, <<1:16, "n">>), {ok, B} = gen_tcp:recv(S, 0), io:format("~p", [B]), halt().`)
		require.Equal(m.t, "<<0,0,17,17>>", out, address)
	}
}

// erl evaluates an expression, and gives what it prints.
func (m *machine) erl(expression string) string {
	m.t.Helper()
	return m.run("env", "HOME=/tmp", "erl", "-noinput", "-eval", expression)
}

// usersCannotClose: whoever may use the port can end the daemon, by epmd -kill or, with
// -exit_idle, by asking it again and again; the next who asks is answered, however often
// that happens. By systemd's usual limit the sixth start in ten seconds fails, and the port
// is given up.
func usersCannotClose(m *machine) {
	const more = 8
	m.run("systemctl", "start", "goepmd.socket")
	m.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-ec",
		fmt.Sprintf("i=0; while [ $i -lt %d ]; do goepmd -kill >/dev/null; i=$((i+1)); done", more))
	m.shows("goepmd.socket", active)
	m.shows("goepmd.service", "NRestarts=0")
	m.run("goepmd", "-names")

	m.dropIn("goepmd.service", `[Service]\nExecStart=\nExecStart=/usr/bin/goepmd -systemd -exit_idle 1\n`)
	m.run("systemctl", "restart", "goepmd.service")
	since := m.cursor()
	m.run("systemd-run", "--unit=poller", "sh", "-c", "while goepmd -names >/dev/null; do :; done; exec sleep infinity")
	m.t.Cleanup(func() { m.run("systemctl", "stop", "poller.service") })
	require.Eventually(m.t, func() bool {
		return strings.Count(m.run("journalctl", "--no-pager", "--quiet", "--cursor", since, "-u", "goepmd.service"), "Started") >= more
	}, patience, 200*time.Millisecond)
	m.shows("goepmd.socket", active)
	m.run("goepmd", "-names")
}

// otherSockets: another port than 4369, several of them and a Unix socket: the port of the
// first is told, unless one of the others is asked for, and the daemon is upgraded by it.
func otherSockets(m *machine) {
	m.run("epmd", "-daemon") // which has 4369
	m.t.Cleanup(func() { m.run("epmd", "-kill") })
	m.dropIn("goepmd.socket", `[Socket]\nEnvironment=ERL_EPMD_PORT=24369\nListenStream=\nListenStream=/run/goepmd.sock\nListenStream=24369\nListenStream=24370\n`)
	told := func(port string) {
		m.t.Helper()
		for _, asked := range []string{"24369", "24370"} {
			require.Equal(m.t, "epmd: up and running on port "+port+" with data:\n", m.run("goepmd", "-port", asked, "-names"))
			require.Equal(m.t, port, m.erl(`{ok, S} = gen_tcp:connect({127,0,0,1}, `+asked+`, [binary, {active, false}]), ok = gen_tcp:send(S, <<1:16, "n">>), {ok, <<P:32>>} = gen_tcp:recv(S, 0), io:format("~p", [P]), halt().`))
		}
		require.Equal(m.t, port, m.erl(`{ok, S} = gen_tcp:connect({local, "/run/goepmd.sock"}, 0, [binary, {active, false}]), ok = gen_tcp:send(S, <<1:16, "n">>), {ok, <<P:32>>} = gen_tcp:recv(S, 0), io:format("~p", [P]), halt().`))
	}
	m.run("systemctl", "start", "goepmd.service")
	told("24369")
	require.Contains(m.t, m.run("goepmd", "-port", "24369", "-upgrade"), "Upgraded")
	told("24369")
	m.dropIn("goepmd.service", `[Service]\nEnvironment=ERL_EPMD_PORT=24370\n`)
	m.run("systemctl", "restart", "goepmd.service")
	told("24370")
	require.Contains(m.t, m.run("goepmd", "-port", "24370", "-upgrade"), "Upgraded")
	told("24370")
	m.run("systemctl", "stop", "goepmd.service", "goepmd.socket")
}

// overridden: each setting that the sockets of systemd override is warned of, once, with the
// command that changes the sockets.
func overridden(m *machine) {
	m.dropIn("goepmd.service", `[Service]\nEnvironment=ERL_EPMD_PORT=24369\nExecStart=\nExecStart=/usr/bin/goepmd -systemd -address 127.0.0.1\n`)
	since := m.cursor()
	m.run("systemctl", "start", "goepmd.service")
	require.Equal(m.t, "epmd: up and running on port 4369 with data:\n", m.run("goepmd", "-names"))
	m.run("systemctl", "reload", "goepmd.service")
	m.shows("goepmd.service", active, "SubState=running", once)
	m.run("journalctl", "--sync")
	said := m.run("journalctl", "--no-pager", "--quiet", "-o", "cat", "-p", "warning", "--cursor", since, "-t", "goepmd")
	require.Equal(m.t, 2, strings.Count(said, "systemctl edit goepmd.socket"), said)
	require.Equal(m.t, 2, strings.Count(said, "\n"), said)
	m.run("systemctl", "stop", "goepmd.service", "goepmd.socket")
}

// keepsSoMany: of one connection too many the daemon says so, once, and systemd has no
// complaint, at a reload neither; those that it keeps are there after a restart.
func keepsSoMany(m *machine) {
	const files, kept = 6, 4 // the journal is one, and one remains free
	m.dropIn("goepmd.service", fmt.Sprintf(`[Service]\nFileDescriptorStoreMax=%d\nEnvironment=FDSTORE=%d\n`, files, files))
	m.run("systemctl", "start", "goepmd.service")
	m.hold(kept + 1)
	m.shows("goepmd.service", fmt.Sprint("NFileDescriptorStore=", kept+1))
	m.run("systemctl", "reload", "goepmd.service")
	require.Contains(m.t, m.run("goepmd", "-upgrade"), "Upgraded")
	m.requireHeld(kept + 1)
	m.shows("goepmd.service", fmt.Sprint("NFileDescriptorStore=", kept+1))
	m.run("systemctl", "restart", "goepmd.service")
	m.requireHeld(kept)
}

// keepsNothing: a unit by which systemd keeps nothing is as good, until it is restarted.
func keepsNothing(m *machine) {
	m.dropIn("goepmd.service", `[Service]\nFileDescriptorStoreMax=0\nUnsetEnvironment=FDSTORE\n`)
	m.run("systemctl", "start", "goepmd.service")
	m.hold(3)
	m.run("systemctl", "reload", "goepmd.service")
	require.Contains(m.t, m.run("goepmd", "-upgrade"), "Upgraded")
	m.requireHeld(3)
	m.run("systemctl", "restart", "goepmd.service")
	require.NotContains(m.t, m.run("goepmd", "-names"), "name held")
}

// forkingUnit: the same for a unit whose main process systemd has to guess.
func forkingUnit(m *machine) {
	m.run("sh", "-c", `printf '[Service]\nType=forking\nExecStart=/usr/bin/goepmd -daemon\n' >/run/systemd/system/forking.service`)
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "start", "forking.service")
	m.t.Cleanup(func() { m.run("systemctl", "stop", "forking.service") })
	m.hold(1)
	before := m.mainPID("forking.service")
	require.NotEqual(m.t, "0\n", before, "systemd has guessed it")
	out, err := m.try("goepmd", "-upgrade")
	require.Error(m.t, err)
	require.Contains(m.t, out, "the daemon goes on as it is: systemd may take it for the main process of forking.service")
	m.run("systemctl", "kill", "--signal=USR2", "forking.service")
	out, err = m.try("goepmd", "-upgrade") // answered after that
	require.Error(m.t, err, out)
	m.shows("forking.service", active, "SubState=running", once)
	require.Equal(m.t, before, m.mainPID("forking.service"))
	m.requireHeld(1)
}

// daemonOfNode: an epmd that a node of a service has started is upgraded there, since the node
// is what systemd watches.
func daemonOfNode(m *machine) {
	m.run("systemd-run", "--unit=node", "--setenv=HOME=/tmp", "erl", "-noinput", "-sname", "alpha@localhost", "-setcookie", "c", "-epmd", "/usr/bin/goepmd -daemon")
	m.t.Cleanup(func() { m.run("systemctl", "stop", "node.service") })
	m.waitFor("name alpha at port ")
	m.hold(1)
	require.Contains(m.t, m.run("goepmd", "-upgrade"), "Upgraded")
	m.shows("node.service", active, "SubState=running")
	m.requireHeld(1)
	m.waitFor("name alpha at port ")
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
