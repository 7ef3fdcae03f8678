package nodes_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/conformance/nodes"
	"github.com/goepmd/goepmd/internal/otpimages"
	"github.com/goepmd/goepmd/internal/otptest"
)

var (
	only   = flag.String("only", "", "play only the scenarios whose names match this")
	daemon = flag.String("daemon", "", "the daemon's program; that of this repository unless given")
)

// limit is for all scenarios together, on a machine that is busy with other tests.
const limit = 12 * time.Minute

// images are those that are here. A test that lacks one is skipped, or fails if it
// must not be.
func images(t *testing.T) map[string]string {
	t.Helper()
	here := make(map[string]string)
	for _, name := range otpimages.Names() {
		ref, ok, err := otpimages.Ref(t.Context(), name)
		if err != nil {
			missing(t, fmt.Sprintf("no docker engine answers: %v", err))
		}
		if ok {
			here[name] = ref
		}
	}
	return here
}

// missing skips a test, loudly.
func missing(t *testing.T, what string) {
	t.Helper()
	text := what + "; for the nodes of OTP 23 to 29, Elixir, RabbitMQ and others install docker and run: go run ./docker/otp-images"
	if os.Getenv("GOEPMD_REQUIRE_OTP") == "1" {
		t.Fatalf("%s; GOEPMD_REQUIRE_OTP=1 makes that a failure", text)
	}
	t.Skipf("SKIPPED: %s", text)
}

func program(t *testing.T) string {
	if *daemon != "" {
		return *daemon
	}
	path := filepath.Join(t.TempDir(), "epmd")
	out, err := exec.Command("go", "build", "-o", path, "github.com/goepmd/goepmd/cmd/epmd").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// severally is what nodes with several transports need: the module of the example, and
// the extension of our daemon. Another daemon has none.
func severally(path string) *nodes.MultiTransport {
	if *daemon != "" {
		return nil
	}
	return &nodes.MultiTransport{
		Start:  nodes.Program(path, "-multi_transport"),
		Module: os.DirFS("../../examples/multi-transport/src"),
	}
}

// TestNodes plays every scenario against this repository's daemon, besides those that
// TestForeignClients plays, unless some are named; each is a subtest.
func TestNodes(t *testing.T) {
	otptest.Heavy(t)
	want := regexp.MustCompile(*only)
	path := program(t)
	suite := nodes.Suite{
		Start:          nodes.Program(path),
		MultiTransport: severally(path),
		Images:         images(t),
		Only: func(name string) bool {
			return want.MatchString(name) && (*only != "" || !foreign.MatchString(name))
		},
	}
	judge(t, suite)
}

// judge plays a suite, and makes a subtest of each result.
func judge(t *testing.T, suite nodes.Suite) {
	suite.Progress = func(r conformance.Result) {
		t.Logf("%-8s %6.1f s  %s", r.Verdict, r.Took.Seconds(), r.Scenario)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	results, err := suite.Run(ctx)
	if errors.Is(err, nodes.ErrNoDocker) {
		missing(t, err.Error())
	}
	require.NoError(t, err)
	for _, r := range results {
		t.Run(r.Scenario, func(t *testing.T) {
			switch {
			case r.Verdict == conformance.Skipped && suite.MultiTransport == nil && strings.HasPrefix(r.Scenario, "nodes-several-"):
				t.Skipf("SKIPPED: %s", r.Reason)
			case r.Verdict == conformance.Skipped:
				missing(t, r.Reason)
			case r.Failure != nil:
				t.Fatalf("%s\nlast step: %s", r.Failure.What, r.Failure.Text)
			case r.Verdict != conformance.Passed:
				t.Fatalf("%s: %s", r.Verdict, r.Reason)
			case r.Reason != "":
				t.Log(r.Reason)
			}
		})
	}
}

// TestScenarios: each has a name of its own that a report can hold, a rule and a reason.
func TestScenarios(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range nodes.Scenarios() {
		require.Regexp(t, `^nodes(-[a-z0-9]+)+$`, s.Name)
		require.NotEmpty(t, s.Rule, s.Name)
		require.NotEmpty(t, s.Why, s.Name)
		require.Equal(t, nodes.Area, s.Area)
		require.False(t, seen[s.Name], "%s stands there twice", s.Name)
		seen[s.Name] = true
	}
}
