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
	pulled   = `"image inspect"*) echo 90000000 ;;`
	labelled = `"image inspect"*) echo 90000000 27.3.4.1+dfsg-1+deb13u4 ;;`
	tells27  = `run*) echo 27.3.4.1 15.2.7 ;;`
	tells25  = `run*) echo 25.2.3 13.1.5 ;;`
	imported = `import*) echo sha256:1 ;;`
	silent   = "pull*) exit 1 ;;"
)

// makes is what stands in the place of mmdebstrap: it takes packages, whose versions it has
// of a suite's name.
const makes = `
mkdir $TMPDIR/half
for word; do
	case "$word" in
	bullseye) echo no such suite >&2; exit 25 ;;
	bookworm) file=erlang-base_1%3a25.2.3+dfsg-1+deb12u5_amd64.deb ;;
	trixie) file=erlang-base_1%3a27.3.4.1+dfsg-1+deb13u4+b1_amd64.deb ;;
	forky) file=erlang-base_1%3a29.2+dfsg-1_amd64.deb ;;
	*"ls "*) list=$(echo "$word" | sed 's/.*>"//; s/"//') ;;
	esac
done
echo erlang-crypto_1%3a1_amd64.deb >$list
echo $file >>$list
`

func cases(of ...string) string { return "case \"$*\" in\n" + strings.Join(of, "\n") + "\nesac" }

func TestEnsurePulls(t *testing.T) {
	log := fake(t, map[string]string{"docker": cases(noImage, pulled, tells25, "pull*) echo 25: Pulling ;;")})
	images, err := Ensure(t.Context(), t.Output(), "25")
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.Equal(t, []string{"25.2.3", "13.1.5", ""}, []string{images[0].OTP, images[0].ERTS, images[0].Debian})
	require.EqualValues(t, 90000000, images[0].Bytes)
	require.Contains(t, log(), "docker tag erlang:25.2.3 "+images[0].Ref+"\ndocker tag erlang:25.2.3 goepmd-otp:25\n")
}

// TestPulledOther: what a registry has in the place of the version that was asked for is not
// taken.
func TestPulledOther(t *testing.T) {
	log := fake(t, map[string]string{"docker": cases(noImage, pulled, "run*) echo 25.3.2 13.2.2 ;;", "pull*) echo 25: Pulling ;;")})
	images, err := Ensure(t.Context(), t.Output(), "25")
	require.ErrorContains(t, err, "the registry's erlang:25.2.3 has OTP 25.3.2, and the scenarios were played to 25.2.3+dfsg-1+deb12u4")
	require.Empty(t, images)
	require.NotContains(t, log(), "docker tag")
}

func TestEnsureTakesWhatIsThere(t *testing.T) {
	log := fake(t, map[string]string{"docker": cases(`"image ls"*) echo abc ;;`, labelled, tells27)})
	images, err := Ensure(t.Context(), t.Output(), "27")
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.NotContains(t, log(), "pull")
	require.NotContains(t, log(), "import")
}

func TestEnsureMakes(t *testing.T) {
	needRoot(t)
	log := fake(t, map[string]string{
		"docker": cases(noImage, labelled, tells27, imported), "mmdebstrap": makes,
	})
	images, err := Ensure(t.Context(), t.Output(), "27")
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.Equal(t, "27.3.4.1+dfsg-1+deb13u4", images[0].Debian)
	require.Contains(t, log(), "docker import --change LABEL goepmd-otp.erlang-base=27.3.4.1+dfsg-1+deb13u4 ")
	require.Contains(t, log(), "docker tag sha256:1 "+images[0].Ref)
	require.Regexp(t, `mmdebstrap --include=\S*erlang-base\S* .* trixie \S+/image.tar http://deb.test/debian\n`, log())
	empty(t)
}

// TestTellsOfUpdate: an image with a security update of a released suite is made, and told.
func TestTellsOfUpdate(t *testing.T) {
	needRoot(t)
	updated := strings.ReplaceAll(labelled, "27.3.4.1+dfsg-1+deb13u4", "25.2.3+dfsg-1+deb12u5")
	fake(t, map[string]string{"docker": cases(noImage, updated, tells25, imported, silent), "mmdebstrap": makes})
	var progress strings.Builder
	images, err := Ensure(t.Context(), &progress, "25")
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.Contains(t, progress.String(), "NOTE: Debian's bookworm has OTP 25.2.3+dfsg-1+deb12u5, and the scenarios were played to 25.2.3+dfsg-1+deb12u4")
}

// TestEnsureFails: what fails is said, leaves nothing, and does not keep others from
// being made.
func TestEnsureFails(t *testing.T) {
	needRoot(t)
	log := fake(t, map[string]string{
		"docker": cases(noImage, labelled, tells27, imported, silent), "mmdebstrap": makes,
	})
	images, err := Ensure(t.Context(), t.Output(), "23", "25", "27", "29")
	require.ErrorContains(t, err, "image 23: neither pulled (no registry answers")
	require.ErrorContains(t, err, "no such suite")
	require.ErrorContains(t, err, "image 25: Debian's bookworm has OTP 27.3.4.1")
	require.ErrorContains(t, err, "image 29: neither pulled (no registry answers")
	require.ErrorContains(t, err, "Debian's forky has OTP 29.2+dfsg-1, and the scenarios were played to 29.1.1+dfsg-1 and 29.1.2+dfsg-1: "+
		"play them to the new one (epmd-conformance), say where it differs, "+
		`and add its version to the recipe of "29" in internal/otpimages/recipe.go`)
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
		"docker":     cases(noImage, silent),
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

// TestRegistryThatLacksOne answers too.
func TestRegistryThatLacksOne(t *testing.T) {
	fake(t, map[string]string{"docker": cases("*23.2.6) echo 'manifest for erlang:23.2.6 not found: manifest unknown' >&2; exit 1 ;;", "*29) echo 29: Pulling ;;")})
	hub := &registry{answer: time.Hour}
	require.NotErrorIs(t, hub.pull(t.Context(), "erlang:23.2.6"), errSilent)
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
