package house

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile("../../" + path)
	require.NoError(t, err)
	return string(b)
}

// flat is a text without the blanks and breaks that lay it out.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestReadmeCodeCompiles: the Go code that the README shows stands in the examples
// of the package, which are compiled and run.
func TestReadmeCodeCompiles(t *testing.T) {
	examples := flat(read(t, "epmd/example_test.go"))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "README.md"), -1)
	require.Len(t, blocks, 2)
	for _, b := range blocks {
		code := flat(b[1])
		require.Contains(t, examples, code)
	}
}

// TestReadmeCommands: the commands that the README gives exist.
func TestReadmeCommands(t *testing.T) {
	readme := read(t, "README.md")
	require.Contains(t, readme, "\nmake test\n")
	require.Contains(t, read(t, "Makefile"), "\ntest: ")
	require.Contains(t, read(t, ".ci/run"), "\nmake test\nmake proof\n")
	for _, path := range regexp.MustCompile(`(?:\./|\()((?:examples|cmd|docs|internal)/[\w./-]*\w)`).FindAllStringSubmatch(readme, -1) {
		_, err := os.Stat("../../" + path[1])
		require.NoError(t, err, "the README names %s", path[1])
	}
}
