// Package places tests how the daemon fares below the programs that watch it: real ones, in
// containers.
package places

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otpimages"
	"github.com/goepmd/goepmd/internal/otptest"
)

// patience is for what should happen at once, on a machine that is busy.
const patience = time.Minute

// box is a container.
type box struct {
	t  *testing.T
	id string
}

// image is what the boxes are made of.
func image(t *testing.T) string {
	t.Helper()
	otptest.Heavy(t)
	ref, here, err := otpimages.Ref(t.Context(), "supervisors")
	if err != nil || !here {
		otptest.Missing(t, fmt.Sprintf("the image with supervisors (go run ./docker/otp-images supervisors; %v)", err))
	}
	return ref
}

// build makes our program.
func build(t *testing.T) string {
	t.Helper()
	program := t.TempDir() + "/epmd"
	out, err := exec.CommandContext(t.Context(), "../../scripts/release-build.sh", "epmd", program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// open starts a container with our program, of which process 1 is the command.
func open(t *testing.T, image, program string, command ...string) *box {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", append([]string{"create", "--network", "none", image}, command...)...).Output()
	require.NoError(t, err)
	b := &box{t, strings.TrimSpace(string(out))}
	t.Cleanup(func() {
		out, err := exec.Command("docker", "rm", "--force", "--volumes", b.id).CombinedOutput()
		require.NoError(t, err, "%s", out)
	})
	for _, words := range [][]string{{"cp", program, b.id + ":/usr/bin/goepmd"}, {"start", b.id}} {
		out, err := exec.CommandContext(t.Context(), "docker", words...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return b
}

// sh runs a script in the container, and gives what it prints.
func (b *box) sh(script string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", "exec", b.id, "sh", "-c", script).CombinedOutput()
	return string(out), err
}

func (b *box) must(script string) string {
	b.t.Helper()
	out, err := b.sh(script)
	require.NoError(b.t, err, "%s: %s", script, out)
	return out
}

// begin runs a command beside everything.
func (b *box) begin(words ...string) {
	b.t.Helper()
	out, err := exec.CommandContext(b.t.Context(), "docker", append([]string{"exec", "--detach", "--env", "HOME=/tmp", b.id}, words...)...).CombinedOutput()
	require.NoError(b.t, err, "%s", out)
}

// lists waits until the daemon lists so many names.
func (b *box) lists(names int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		out, err := b.sh("goepmd -names")
		return err == nil && strings.Count(out, "name ") == names
	}, patience, 100*time.Millisecond)
}

// hold registers a name that is never registered again.
func (b *box) hold() {
	b.t.Helper()
	b.lists(0)
	b.begin("erl", "-noinput", "-eval", `{ok, S} = gen_tcp:connect({127,0,0,1}, 4369, [binary, {active, false}, {packet, 2}]), `+
		`ok = gen_tcp:send(S, <<"x", 9000:16, "M", 0, 6:16, 5:16, 4:16, "held", 0:16>>), receive after infinity -> ok end.`)
	b.lists(1)
}

// daemon is the number of the daemon's process.
func (b *box) daemon() string {
	b.t.Helper()
	return strings.TrimSpace(b.must(`for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = goepmd ] && echo ${p#/proc/}; done; true`))
}

// refuses: the daemon says why it is not replaced to whoever asks, by both ways, and goes on
// with its names.
func (b *box) refuses(reason string) {
	b.t.Helper()
	b.hold()
	before := b.daemon()
	for range 2 { // the second is answered after the signal
		out, err := b.sh("goepmd -upgrade")
		require.Error(b.t, err, out)
		require.Contains(b.t, out, "the daemon goes on as it is: ")
		require.Contains(b.t, out, reason)
		b.must("kill -USR2 " + before)
	}
	require.Equal(b.t, before, b.daemon())
	b.lists(1)
}

const run = "#!/bin/sh\\nexec /usr/bin/goepmd\\n"

// TestSupervisors: a daemon that a real supervisor watches is not upgraded, and says how to
// restart it; a restart there works, and its nodes register again.
func TestSupervisors(t *testing.T) {
	image := image(t)
	program := build(t)
	const conf = "[supervisord]\\n[program:epmd]\\ncommand=/usr/bin/goepmd\\n[unix_http_server]\\nfile=/run/s.sock\\n" +
		"[rpcinterface:supervisor]\\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\\n" +
		"[supervisorctl]\\nserverurl=unix:///run/s.sock\\n"
	for _, tt := range []struct{ name, prepare, start, reason, restart string }{
		{"runit", "mkdir -p /s/epmd; printf '" + run + "' >/s/epmd/run; chmod +x /s/epmd/run", "runsvdir /s", "runsv watches it", "sv restart /s/epmd"},
		{"s6", "mkdir -p /s/epmd; printf '" + run + "' >/s/epmd/run; chmod +x /s/epmd/run", "s6-svscan /s", "s6-supervise watches it", "s6-svc -r /s/epmd"},
		{"daemontools", "mkdir -p /s/epmd; printf '" + run + "' >/s/epmd/run; chmod +x /s/epmd/run", "svscan /s", "supervise watches it", "svc -t /s/epmd"},
		{"supervisor", "printf '" + conf + "' >/c", "supervisord -n -c /c", "supervisord watches it", "supervisorctl -c /c restart epmd"},
		{"supervisor by Python", "printf '" + conf + "' >/c", "python3 /usr/bin/supervisord -n -c /c", "supervisord watches it", "supervisorctl -c /c restart epmd"},
		{"supervisor as a module", "printf '" + conf + "' >/c", "python3 -m supervisor.supervisord -n -c /c", "supervisord watches it", "supervisorctl -c /c restart epmd"},
		{"tini", "true", "tini -s -- goepmd", "tini watches it", ""},
		{"dumb-init", "true", "dumb-init goepmd", "dumb-init watches it", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, image, program, "sleep", "infinity")
			b.must(tt.prepare)
			b.begin(strings.Fields(tt.start)...)
			b.refuses(tt.reason)
			if tt.restart == "" {
				return // it ends with its child
			}
			before := b.daemon()
			b.must(tt.restart)
			require.Eventually(t, func() bool { now := b.daemon(); return now != before && now != "" }, patience, 100*time.Millisecond)
			b.lists(0)
		})
	}
}

// TestFirstProcesses: what process 1 of a container waits for, itself or by a shell, is not
// upgraded; what it does not wait for is, and nothing is lost.
func TestFirstProcesses(t *testing.T) {
	image := image(t)
	program := build(t)
	const replace = "replace the container"
	for _, tt := range []struct {
		name, reason string
		command      []string
	}{
		{"the only process", replace, []string{"goepmd"}},
		{"tini", replace, []string{"tini", "--", "goepmd"}},
		{"dumb-init", replace, []string{"dumb-init", "goepmd"}},
		{"catatonit", replace, []string{"catatonit", "--", "goepmd"}},
		{"a shell", replace, []string{"sh", "-c", "goepmd; true"}},
		{"a shell's shell", replace, []string{"sh", "-c", `sh -c "goepmd; true"; true`}},
		{"-daemon beside a shell", "", []string{"sh", "-c", "goepmd -daemon; sleep infinity; true"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, image, program, tt.command...)
			if tt.reason != "" {
				b.refuses(tt.reason)
				return
			}
			b.hold()
			for range 3 {
				before := b.daemon()
				require.Contains(t, b.must("goepmd -upgrade"), "Upgraded")
				require.NotEqual(t, before, b.daemon())
				b.lists(1)
			}
		})
	}
}
