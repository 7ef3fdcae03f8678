package house

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuestions: the files exist that CONTRIBUTING names as those that decide.
func TestQuestions(t *testing.T) {
	_, table, found := strings.Cut(read(t, "CONTRIBUTING.md"), "| question | file |\n|---|---|\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	require.Len(t, rows, 8)
	for _, row := range rows {
		files := regexp.MustCompile("`(.+?)`").FindAllStringSubmatch(row, -1)
		require.NotEmpty(t, files, row)
		for _, file := range files {
			info, err := os.Stat("../../" + file[1])
			require.NoError(t, err, "it holds the answer to: %s", row)
			require.False(t, info.IsDir(), row)
		}
	}
}
