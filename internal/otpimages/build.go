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
	tarball, files := filepath.Join(dir, "image.tar"), filepath.Join(dir, "files")
	args := append([]string{
		"--include=" + strings.Join(r.Packages, ","),
		fmt.Sprintf(`--extract-hook=ls "$1/var/cache/apt/archives" >%q`, files),
	}, r.Options...)
	cmd := command(ctx, "mmdebstrap", append(args, r.Suite, tarball, from)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.Stderr = p.steps(r.Name)
	if _, err := run(cmd); err != nil {
		return "", fmt.Errorf("%s of %s: %w", r.Suite, from, err)
	}

	debian, err := packageVersion(files)
	if err != nil {
		return "", err
	}
	if _, err := r.judge(versions{OTP: ofOTP(debian), Debian: debian}); err != nil {
		return "", err
	}

	p.say(r.Name, "importing")
	args = []string{"import", "--change", "LABEL " + debianLabel + "=" + debian}
	for _, s := range r.Settings {
		args = append(args, "--change", s)
	}
	return docker(ctx, append(args, tarball)...)
}

// debianLabel is an image's label with the version of Debian's erlang-base in it.
const debianLabel = repository + ".erlang-base"

// packageVersion is that of erlang-base, of which there is a file in a list.
func packageVersion(list string) (string, error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if found := packageFile.FindStringSubmatch(strings.TrimSpace(line)); found != nil {
			return found[1], nil
		}
	}
	return "", fmt.Errorf("mmdebstrap has taken no erlang-base: %q", text)
}
