package house

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFiles: each of these packages has at most 20 files besides its tests, so that one
// can be found by its name.
func TestFiles(t *testing.T) {
	count := make(map[string]int)
	for _, folder := range []string{"epmd", "epmdhttp", "metrics", "registry"} {
		require.NoError(t, filepath.WalkDir("../../"+folder, func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				count[filepath.Dir(path)]++
			}
			return err
		}))
	}
	require.Greater(t, len(count), 10)
	for folder, n := range count {
		require.LessOrEqual(t, n, 20, folder)
	}
}
