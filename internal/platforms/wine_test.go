package platforms

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/conformance/report"
	"github.com/goepmd/goepmd/internal/otpimages"
	"github.com/goepmd/goepmd/internal/otptest"
)

const (
	// source is where the container has this repository, and work what was built for it.
	source = "/source"
	work   = "/work"
	// wine64 is Debian's wine. It takes paths of Unix.
	wine64 = "/usr/lib/wine/wine64"
	// keeper is the port of a daemon that runs all the time: what wine starts with its first
	// program ends with its last one, and holds the output of the first open.
	keeper = "20001"
	// bound is how long a command may take in the container.
	bound = 30 * time.Minute
)

// windows is a container with wine, which has begun.
type windows struct {
	id   string
	work string // the folder here that is work there
}

// newWindows starts one, with our program in it. It has an address besides loopback.
func newWindows(t *testing.T) *windows {
	t.Helper()
	otptest.Heavy(t)
	ref, here, err := otpimages.Ref(t.Context(), "wine")
	if err != nil || !here {
		otptest.Missing(t, fmt.Sprintf("the image with wine (go run ./docker/otp-images wine; %v)", err))
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	w := &windows{work: t.TempDir()}
	build(t, "windows", "amd64", "build", "-o", filepath.Join(w.work, "epmd.exe"), "./cmd/epmd")
	script := fmt.Sprintf("#!/bin/sh\nexec %s %s/epmd.exe \"$@\"\n", wine64, work)
	require.NoError(t, os.WriteFile(filepath.Join(w.work, "epmd"), []byte(script), 0o755))
	out, err := exec.CommandContext(t.Context(), "docker", "run", "-d", "--init", "-e", "XDG_RUNTIME_DIR=/tmp",
		"--sysctl", "net.ipv6.conf.all.disable_ipv6=0", "--sysctl", "net.ipv6.conf.default.disable_ipv6=0",
		"-v", root+":"+source+":ro", "-v", w.work+":"+work, ref, path.Join(work, "epmd"), "-port", keeper).Output()
	require.NoError(t, err)
	w.id = strings.TrimSpace(string(out))
	t.Cleanup(func() {
		out, err := exec.Command("docker", "rm", "--force", "--volumes", w.id).CombinedOutput()
		require.NoError(t, err, "%s", out)
	})
	require.Eventually(t, func() bool {
		_, err = w.run(t, "/", path.Join(work, "epmd"), "-port", keeper, "-names")
		return err == nil
	}, 2*time.Minute, time.Second, "wine does not begin")
	return w
}

// run runs a command in a folder of the container, and gives what it wrote to standard
// output; its error holds the rest.
func (w *windows) run(t *testing.T, folder string, words ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), bound, fmt.Errorf("not ended after %v", bound))
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", append([]string{"exec", "-w", folder, w.id}, words...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w (%v): %s", err, context.Cause(ctx), errs.String())
	}
	return string(out), err
}

// packages are those whose tests are run, each in its folder.
var packages = []string{"wire", "registry", "registry/state", "epmd/session", "epmd/internal/sockets", "epmd/internal/portable", "epmd"}

// TestWindowsTests runs the tests of the core as they are built for Windows, but for the
// suite, which TestWindowsSuite plays to the program.
func TestWindowsTests(t *testing.T) {
	w := newWindows(t)
	for _, p := range packages {
		t.Run(p, func(t *testing.T) {
			program := strings.ReplaceAll(p, "/", "-") + ".test.exe"
			build(t, "windows", "amd64", "test", "-c", "-vet=off", "-o", filepath.Join(w.work, program), "./"+p)
			out, err := w.run(t, path.Join(source, p), wine64, path.Join(work, program), "-test.v", "-test.timeout", "9m", "-test.skip", "^TestVectors$")
			for name, reason := range skipped(out) {
				t.Run(name, func(t *testing.T) { t.Skip(reason) })
			}
			require.NoError(t, err, out)
			t.Logf("%d passed", strings.Count(out, "--- PASS"))
		})
	}
}

// skipped are the tests that were, by what they print, with the reasons.
func skipped(out string) map[string]string {
	test, reasons := "", make(map[string]string)
	for line := range strings.Lines(out) {
		if now := current.FindStringSubmatch(line); now != nil {
			test = now[1]
		} else if at := strings.Index(line, "SKIPPED: "); at >= 0 {
			reasons[test] = strings.TrimSpace(line[at:])
		}
	}
	all := make(map[string]string)
	for _, found := range skips.FindAllStringSubmatch(out, -1) {
		all[found[1]] = reasons[found[1]]
	}
	return all
}

var (
	current = regexp.MustCompile(`^=== (?:RUN|CONT|NAME) +(\S+)`)
	skips   = regexp.MustCompile(`(?m)^ *--- SKIP: (\S+)`)
)

func TestSkipped(t *testing.T) {
	out := "=== RUN   TestA\n=== RUN   TestA/b\n    a_test.go:7: SKIPPED: no sockets\n--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.00s)\n" +
		"=== RUN   TestC\n    otptest.go:3: SKIPPED: no erl\n--- SKIP: TestC (0.00s)\n"
	require.Equal(t, map[string]string{"TestA/b": "SKIPPED: no sockets", "TestC": "SKIPPED: no erl"}, skipped(out))
}

// TestWindowsSuite plays a part of the suite to the daemon for Windows.
func TestWindowsSuite(t *testing.T) {
	w := newWindows(t)
	build(t, "linux", "amd64", "build", "-o", filepath.Join(w.work, "epmd-conformance"), "./cmd/epmd-conformance")
	out, err := w.run(t, source, path.Join(work, "epmd-conformance"), "-exec", path.Join(work, "epmd"),
		"-deviations", "docs/deviations.yaml", "-extension", "-all", "-parallel", "8", "-json", "-run", named(sample(t)))
	rep, bad := report.Read(strings.NewReader(out))
	require.NoError(t, bad, "%v", err)
	require.Len(t, rep.Columns, 1)
	requireGood(t, rep.Columns[0].Results)
}

// named is a regular expression of the names of scenarios.
func named(scenarios []conformance.Scenario) string {
	var names []string
	for _, s := range scenarios {
		names = append(names, regexp.QuoteMeta(s.Name))
	}
	return "^(" + strings.Join(names, "|") + ")$"
}
