package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMisses: a mutant is missed that stands in a block which no test ran through. What
// stands in none may be reached.
func TestMisses(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "profile")
	text := "mode: set\nexample.org/m/p/f.go:3.10,5.20 1 1\nexample.org/m/p/f.go:7.1,9.3 2 0\n"
	require.NoError(t, os.WriteFile(profile, []byte(text), 0o600))
	c, err := readCoverage(module{path: "example.org/m"}, profile)
	require.NoError(t, err)
	at := func(line, column int) bool { return c.misses(mutant{File: "p/f.go", Line: line, column: column}) }
	require.False(t, at(4, 1))
	require.True(t, at(7, 1))
	require.True(t, at(8, 99))
	require.True(t, at(9, 2))
	require.False(t, at(9, 3), "the block has ended")
	require.False(t, at(6, 1), "there is no block")
	require.False(t, c.misses(mutant{File: "p/g.go", Line: 8}))
}
