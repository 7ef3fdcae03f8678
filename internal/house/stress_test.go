package house

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStressNames: each test that scripts/stress.sh repeats is there; one that was renamed
// would end the whole run.
func TestStressNames(t *testing.T) {
	text, err := os.ReadFile("../../scripts/stress.sh")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "\ntests='\n")
	require.True(t, found)
	list, _, found := strings.Cut(rest, "\n'")
	require.True(t, found)
	for _, line := range strings.Split(list, "\n") {
		fields := strings.Fields(line)
		require.Len(t, fields, 3, "%q", line)
		files, err := filepath.Glob(filepath.Join("../..", fields[0], "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, fields[0])
		var tests strings.Builder
		for _, file := range files {
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			tests.Write(b)
		}
		names, _, _ := strings.Cut(fields[2], "/")
		for _, name := range strings.Split(names, "|") {
			require.True(t, strings.Contains(tests.String(), "func "+name+"("), "%s has no test %s: mend scripts/stress.sh", fields[0], name)
		}
	}
}
