package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/goepmd/goepmd/internal/otptest"
)

// TestReleaseFlags: goreleaser builds as scripts/release-build.sh does, whose builds are
// the same byte for byte, and builds every program.
func TestReleaseFlags(t *testing.T) {
	var c struct {
		Builds []struct {
			ID, Main, Binary    string
			Env, Flags, Ldflags []string
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, ".goreleaser.yaml")), &c))
	script := read(t, "scripts/release-build.sh")
	inScript := strings.NewReplacer("{{ .Version }}", "$version", "{{ .FullCommit }}", "$commit", module+"internal/version", "$of")
	built := make(map[string]bool)
	for _, b := range c.Builds {
		require.Equal(t, []string{"CGO_ENABLED=0"}, b.Env)
		words := append(append([]string{"CGO_ENABLED=0 exec go build"}, b.Flags...),
			`-ldflags="`+inScript.Replace(strings.Join(b.Ldflags, " "))+`"`)
		require.Contains(t, script, strings.Join(words, " "))
		require.Equal(t, "./cmd/"+b.ID, b.Main)
		require.Equal(t, b.ID, b.Binary)
		built[b.ID] = true
	}
	programs, err := os.ReadDir("../../cmd")
	require.NoError(t, err)
	for _, p := range programs {
		require.True(t, built[p.Name()], ".goreleaser.yaml does not build %s", p.Name())
	}
	require.Len(t, c.Builds, len(programs))
}

// TestReleaseFiles: the files that releases take in exist.
func TestReleaseFiles(t *testing.T) {
	var c struct {
		Nfpms []struct {
			Contents []struct{ Src, Type string }
		}
		Dockers []struct{ Dockerfile string } `yaml:"dockers_v2"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, ".goreleaser.yaml")), &c))
	require.Len(t, c.Nfpms, 1)
	require.Len(t, c.Dockers, 1)
	read(t, c.Dockers[0].Dockerfile)
	for _, f := range c.Nfpms[0].Contents {
		if f.Type != "symlink" {
			read(t, f.Src)
		}
	}
}

// TestReleaseVersion: a program that is built for a release tells the version.
func TestReleaseVersion(t *testing.T) {
	otptest.Heavy(t)
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	require.NoError(t, err)
	for program, begins := range map[string]string{"epmd": "goepmd epmd ", "epmdctl": "epmdctl version "} {
		file := filepath.Join(t.TempDir(), program)
		out, err := exec.Command("../../scripts/release-build.sh", program, file, "7.8.9").CombinedOutput()
		require.NoError(t, err, "%s", out)
		out, err = exec.Command(file, "-version").CombinedOutput()
		require.NoError(t, err)
		require.Regexp(t, `^`+begins+`7\.8\.9 \(go1\.\S+ \S+/\S+, commit `+string(head[:12])+`\)\n$`, string(out))
	}
}
