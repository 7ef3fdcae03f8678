package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlaces: each place that docs/deploy.md lists names the tests that hold what it says, and
// they are there.
func TestPlaces(t *testing.T) {
	_, table, found := strings.Cut(read(t, "docs/deploy.md"), "\n| place |")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")[2:] // after what is left of the head, and the line below it
	require.Greater(t, len(rows), 15)
	tests := allTests(t)
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		require.Len(t, cells, 5, row)
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(cells[4], -1)
		require.NotEmpty(t, named, row)
		for _, name := range named {
			require.Contains(t, tests, name[1], row)
		}
	}
}

// allTests are the names of all tests of the project.
func allTests(t *testing.T) map[string]bool {
	t.Helper()
	tests := make(map[string]bool)
	require.NoError(t, filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, f := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			tests[f[1]] = true
		}
		return err
	}))
	require.Greater(t, len(tests), 100)
	return tests
}
