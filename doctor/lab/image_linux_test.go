package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otpimages"
)

// unpacked are the images' files, each unpacked once.
var unpacked = struct {
	sync.Mutex
	dir    string
	images map[string]func() (string, error)
}{images: make(map[string]func() (string, error))}

// imageRoot is the folder with the files of an image, which nobody changes.
func imageRoot(t *testing.T, image string) string {
	t.Helper()
	unpacked.Lock()
	get := unpacked.images[image]
	if get == nil {
		get = sync.OnceValues(func() (string, error) { return unpack(filepath.Join(unpacked.dir, image), image) })
		unpacked.images[image] = get
	}
	unpacked.Unlock()
	dir, err := get()
	require.NoError(t, err)
	return dir
}

func unpack(dir, image string) (_ string, err error) {
	ctx := context.Background()
	ref, here, err := otpimages.Ref(ctx, image)
	if err != nil {
		return "", err
	}
	if !here {
		return "", fmt.Errorf("image %s is missing: go run ./docker/otp-images %s", image, image)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	id, err := exec.Command("docker", "create", "--network", "none", ref, "/bin/true").Output()
	if err != nil {
		return "", fmt.Errorf("docker create: %w", err)
	}
	defer func() {
		if gone := exec.Command("docker", "rm", strings.TrimSpace(string(id))).Run(); err == nil {
			err = gone
		}
	}()
	var errs bytes.Buffer
	cmd := exec.Command("sh", "-c", `docker export "$1" | tar -x -C "$2"`, "sh", strings.TrimSpace(string(id)), dir)
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("unpack image %s: %w: %s", image, err, &errs)
	}
	return dir, nil
}
