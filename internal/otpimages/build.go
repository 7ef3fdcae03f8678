package otpimages

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// build makes an image of Debian's packages, and gives its id. It leaves nothing else
// behind, however it ends.
func (r recipe) build(ctx context.Context, p *progress) (id string, err error) {
	if err := needs(); err != nil {
		return "", err
	}
	from, err := mirror()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", repository+"-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if gone := os.RemoveAll(dir); err == nil {
			err = gone
		}
	}()

	p.say(r.Name, "making it of Debian's %s", r.Suite)
	tarball := filepath.Join(dir, "image.tar")
	args := append([]string{"--include=" + strings.Join(r.Packages, ",")}, r.Options...)
	cmd := command(ctx, "mmdebstrap", append(args, r.Suite, tarball, from)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.Stderr = p.steps(r.Name)
	if _, err := run(cmd); err != nil {
		return "", fmt.Errorf("%s of %s: %w", r.Suite, from, err)
	}

	p.say(r.Name, "importing")
	args = []string{"import"}
	for _, s := range r.Settings {
		args = append(args, "--change", s)
	}
	return docker(ctx, append(args, tarball)...)
}
