//go:build unix

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otptest"
)

func TestDiff(t *testing.T) {
	theirs := otptest.Epmd(t)
	status, out, errs := call(t, "diff", "-a", theirs, "-b", theirs, "-n", "2000", "-workers", "1")
	require.Equal(t, allGood, status, "%s%s", out, errs)
	require.Empty(t, errs)
	require.Regexp(t, `^seed [0-9]{10,}; the same again: -seed [0-9]{10,} -workers 1 `, out)
	require.Contains(t, out, "conversations")
	status, out, errs = call(t, "diff", "-a", theirs, "-b", theirs, "-n", "100", "-seed", "7")
	require.Equal(t, allGood, status, "%s%s", out, errs)
	require.Contains(t, out, "seed 7;")
}

func TestDiffUsage(t *testing.T) {
	for _, args := range [][]string{{"diff"}, {"diff", "-a", "x"}, {"diff", "-nonsense"}, {"diff", "-a", "/nonexistent/a", "-b", "/nonexistent/b"}} {
		status, _, errs := call(t, args...)
		require.Equal(t, cannotRun, status)
		require.NotEmpty(t, errs)
	}
}
