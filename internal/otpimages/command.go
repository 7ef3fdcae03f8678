package otpimages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// grace is what a program gets to tidy up when it is stopped.
const grace = 10 * time.Second

// command is a program that the end of the context stops, with all that it has
// started.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	stopAsGroup(cmd)
	cmd.WaitDelay = grace
	return cmd
}

// run waits for a command, and gives what it wrote to standard output. Its error
// holds what the command wrote to standard error.
func run(cmd *exec.Cmd) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout = both(&out, cmd.Stdout)
	cmd.Stderr = both(&errs, cmd.Stderr)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", cmd.Args[0], err, tail(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func both(to, also io.Writer) io.Writer {
	if also == nil {
		return to
	}
	return io.MultiWriter(to, also)
}

// tail is the last lines of a text.
func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

func docker(ctx context.Context, args ...string) (string, error) {
	out, err := run(command(ctx, "docker", args...))
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("docker is missing: apt-get install docker.io")
	}
	return out, err
}

// needs makes sure that images can be made of Debian's packages here.
func needs() error {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		return errors.New("mmdebstrap is missing, which makes an image of Debian's packages: " +
			"apt-get install mmdebstrap debian-archive-keyring")
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can make an image of Debian's packages: run this with sudo")
	}
	return nil
}
