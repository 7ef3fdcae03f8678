package examples

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otpimages"
	"github.com/goepmd/goepmd/internal/otptest"
)

// composePatience is for some containers, on a machine that is busy.
const composePatience = 4 * time.Minute

// stack is a compose file that is up.
type stack struct {
	t       *testing.T
	project string
	env     []string
}

// compose brings up a file of the compose example by its script, in a project of
// its own, and gives what it printed.
func compose(t *testing.T, file string) (s *stack, printed string) {
	t.Helper()
	otptest.Heavy(t)
	if err := exec.Command("docker", "version").Run(); err != nil {
		otptest.Missing(t, fmt.Sprintf("a docker engine (apt-get install docker.io, and start it: %v)", err))
	}
	if exec.Command("docker", "compose", "version").Run() != nil && exec.Command("docker-compose", "version").Run() != nil {
		otptest.Missing(t, "compose (apt-get install docker-compose)")
	}
	images := make(map[string]string)
	for _, name := range []string{"27", "apps"} {
		ref, here, err := otpimages.Ref(t.Context(), name)
		require.NoError(t, err)
		if !here {
			otptest.Missing(t, "the image "+name+" (go run ./docker/otp-images)")
		}
		images[name] = ref
	}
	project := fmt.Sprintf("goepmd-compose-%d", os.Getpid())
	ours := project + ":test"
	s = &stack{t: t, project: project, env: append(os.Environ(),
		"COMPOSE_FILE="+file, "COMPOSE_PROJECT_NAME="+project, "AMQP_PORT=0",
		"ERLANG_IMAGE="+images["27"], "RABBITMQ_IMAGE="+images["apps"], "EPMD_IMAGE="+ours,
	)}
	out, err := exec.Command("../docker/image.sh", ours).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { s.run("docker", "rmi", ours) })
	t.Cleanup(func() { s.run("./compose/up.sh", "down") })
	return s, s.run("./compose/up.sh")
}

// run runs a command to its end, which must be a good one.
func (s *stack) run(words ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), composePatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = s.env
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(s.t, err, "%q: %s%s", words, out, stderr.Bytes())
	return string(out)
}

// container is the id of a service's container.
func (s *stack) container(service string) string {
	s.t.Helper()
	return strings.TrimSpace(s.run("docker", "ps", "-q",
		"--filter", "label=com.docker.compose.project="+s.project,
		"--filter", "label=com.docker.compose.service="+service))
}

// TestComposeOneHost: one command brings up EPMD, two nodes that ping each other, and
// RabbitMQ; and EPMD can be restarted without the others.
func TestComposeOneHost(t *testing.T) {
	s, out := compose(t, "compose.yaml")
	require.Contains(t, out, "(alpha@host)> net_adm:ping(beta@host).\npong\n")
	require.Contains(t, out, "(beta@host)> net_adm:ping(alpha@host).\npong\n")
	listed := []string{`name alpha at port \d+\n`, `name beta at port \d+\n`, `name rabbit at port 25672\n`}
	for _, line := range listed {
		require.Regexp(t, line, out)
	}

	epmd := s.container("epmd")
	s.run("docker", "restart", epmd)
	require.Eventually(t, func() bool {
		out, err := exec.Command("docker", "exec", epmd, "/epmd", "-names").Output()
		for _, line := range listed[:2] { // RabbitMQ's OTP may be older than 25, which never comes back
			if err != nil || !regexp.MustCompile(line).Match(out) {
				return false
			}
		}
		return true
	}, composePatience, 200*time.Millisecond, "the nodes do not come back")
}

// TestComposeTwoHosts: each host has its EPMD, which knows its own node alone, and the
// nodes ping each other.
func TestComposeTwoHosts(t *testing.T) {
	_, out := compose(t, "two-hosts.yaml")
	require.Contains(t, out, "net_adm:ping('beta@host-b').\npong\n")
	require.Contains(t, out, "net_adm:ping('alpha@host-a').\npong\n")
	require.Regexp(t, `(?s)epmd-a /epmd -names\n[^\n]*\nname alpha at port \d+\n\$.*epmd-b /epmd -names\n[^\n]*\nname beta at port \d+\n$`, out)
}
