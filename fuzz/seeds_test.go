package fuzz

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSeeds: the committed corpora are what the generator makes, and what was found.
func TestSeeds(t *testing.T) {
	seeds, err := Seeds()
	require.NoError(t, err)
	count := make(map[string]int)
	for path, want := range seeds {
		got, err := os.ReadFile(filepath.Join("testdata", "fuzz", filepath.FromSlash(path)))
		require.NoError(t, err, "run `go run ./fuzz/seeds` and commit what it writes")
		require.Equal(t, string(want), string(got), path)
		count[filepath.Dir(path)]++
	}
	for _, target := range []string{"FuzzRequest", "FuzzReply", "FuzzFrame", "FuzzState", "FuzzSession", "FuzzServer", "FuzzDifferential"} {
		require.GreaterOrEqual(t, count[target], 20, target)
		require.LessOrEqual(t, count[target], 110, target)
		files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		require.NoError(t, err)
		for _, f := range files {
			name := filepath.Base(f)
			_, made := seeds[target+"/"+name]
			require.True(t, made || strings.HasPrefix(name, FoundPrefix), "%s is nobody's: name what was found %s…", f, FoundPrefix)
		}
	}
}
