package otpimages

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fake puts programs in the place of the real ones. What they were called with
// stands in the file log, a line each.
func fake(t *testing.T, programs map[string]string) (log func() string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	for name, script := range programs {
		text := fmt.Sprintf("#!/bin/sh\necho %s \"$@\" >>%s\n%s\n", name, path, script)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(mirrorEnv, "http://deb.test/debian")
	return func() string {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(b)
	}
}

const (
	noImage  = `"image ls"*) ;;`
	hasSize  = `"image inspect"*) echo 90000000 ;;`
	tells27  = `run*) echo 27 15.2.7 ;;`
	imported = `import*) echo sha256:1 ;;`
)

func cases(of ...string) string { return "case \"$*\" in\n" + strings.Join(of, "\n") + "\nesac" }

func TestEnsurePulls(t *testing.T) {
	log := fake(t, map[string]string{"docker": cases(noImage, hasSize, tells27, "pull*) echo 27: Pulling ;;")})
	images, err := Ensure(t.Context(), t.Output(), "27")
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.Equal(t, []string{"27", "15.2.7"}, []string{images[0].OTP, images[0].ERTS})
	require.EqualValues(t, 90000000, images[0].Bytes)
	require.Contains(t, log(), "docker tag erlang:27 "+images[0].Ref+"\ndocker tag erlang:27 goepmd-otp:27\n")
}

func TestEnsureTakesWhatIsThere(t *testing.T) {
	log := fake(t, map[string]string{"docker": cases(`"image ls"*) echo abc ;;`, hasSize, tells27)})
	images, err := Ensure(t.Context(), t.Output(), "27")
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.NotContains(t, log(), "pull")
	require.NotContains(t, log(), "import")
}

func TestEnsureMakes(t *testing.T) {
	needRoot(t)
	log := fake(t, map[string]string{
		"docker":     cases(noImage, hasSize, tells27, imported, "pull*) exit 1 ;;"),
		"mmdebstrap": `mkdir $TMPDIR/half`,
	})
	images, err := Ensure(t.Context(), t.Output(), "27")
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.Contains(t, log(), "docker tag sha256:1 "+images[0].Ref)
	require.Regexp(t, `mmdebstrap --include=\S*erlang-base\S* .* trixie \S+/image.tar http://deb.test/debian\n`, log())
	empty(t)
}

// TestEnsureFails: what fails is said, leaves nothing, and does not keep others from
// being made.
func TestEnsureFails(t *testing.T) {
	needRoot(t)
	log := fake(t, map[string]string{
		"docker":     cases(noImage, hasSize, tells27, imported, "pull*) exit 1 ;;"),
		"mmdebstrap": `mkdir $TMPDIR/half; case "$*" in *bullseye*) echo no such suite >&2; exit 25 ;; esac`,
	})
	images, err := Ensure(t.Context(), t.Output(), "23", "25", "27")
	require.ErrorContains(t, err, "image 23: neither pulled (no registry answers")
	require.ErrorContains(t, err, "no such suite")
	require.ErrorContains(t, err, "image 25: OTP 27 came out, not 25")
	require.Len(t, images, 1)
	require.Equal(t, "27", images[0].Name)
	require.Equal(t, 1, strings.Count(log(), "docker pull"), "a silent registry is asked once")
	require.Equal(t, 1, strings.Count(log(), "docker image rm --force sha256:1"), "an image without a tag is not kept")
	empty(t)
}

// TestEnsureStops: an interrupt ends the programs, and leaves nothing.
func TestEnsureStops(t *testing.T) {
	needRoot(t)
	ctx, stop := context.WithCancelCause(t.Context())
	fake(t, map[string]string{
		"docker":     cases(noImage, "pull*) exit 1 ;;"),
		"mmdebstrap": `mkdir $TMPDIR/half; echo "I: downloading" >&2; sleep 600`,
	})
	reason := fmt.Errorf("enough")
	w := firstDownload(func() { stop(reason) })
	images, err := Ensure(ctx, w, "27")
	require.ErrorIs(t, err, reason)
	require.Empty(t, images)
	empty(t)
}

func TestUnknownName(t *testing.T) {
	_, err := Ensure(t.Context(), t.Output(), "26")
	require.ErrorContains(t, err, `no image "26"`)
}

// TestSilentRegistry: a registry that says nothing is given up.
func TestSilentRegistry(t *testing.T) {
	fake(t, map[string]string{"docker": "sleep 600"})
	hub := &registry{answer: 50 * time.Millisecond}
	require.ErrorIs(t, hub.pull(t.Context(), "erlang:27"), errSilent)
	require.ErrorIs(t, hub.pull(t.Context(), "erlang:29"), errSilent)
}

// TestRegistryThatBreaksOff is one that answers, so the others may be had from it.
func TestRegistryThatBreaksOff(t *testing.T) {
	fake(t, map[string]string{"docker": cases("*27) echo 27: Pulling; echo broken >&2; exit 1 ;;", "*29) echo 29: Pulling ;;")})
	hub := &registry{answer: time.Hour}
	err := hub.pull(t.Context(), "erlang:27")
	require.ErrorContains(t, err, "broken")
	require.NotErrorIs(t, err, errSilent)
	require.NoError(t, hub.pull(t.Context(), "erlang:29"))
}

// firstDownload is a writer that calls a function when a download begins.
func firstDownload(f func()) writer {
	return func(b []byte) (int, error) {
		if strings.Contains(string(b), "downloading") {
			f()
		}
		return len(b), nil
	}
}

func empty(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root makes images; run the tests with sudo")
	}
}
