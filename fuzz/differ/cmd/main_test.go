//go:build unix

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otptest"
)

func TestRun(t *testing.T) {
	theirs := otptest.Epmd(t)
	var out, errs strings.Builder
	require.Equal(t, 0, run([]string{"-a", theirs, "-b", theirs, "-n", "2000", "-seed", "7", "-workers", "1"}, &out, &errs), "%s%s", &out, &errs)
	require.Empty(t, errs.String())
	require.Contains(t, out.String(), "seed 7,")
	require.Contains(t, out.String(), "conversations")
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"-a", "x"}, {"-nonsense"}, {"-a", "x", "-b", "y", "z"}} {
		var out, errs strings.Builder
		require.Equal(t, 2, run(args, &out, &errs))
		require.Contains(t, errs.String(), "-seed")
	}
	var out, errs strings.Builder
	require.Equal(t, 2, run([]string{"-a", "/nonexistent/a", "-b", "/nonexistent/b"}, &out, &errs))
	require.Contains(t, errs.String(), "does not start")
}
