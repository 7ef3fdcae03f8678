package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// exits is a program that ends with status 3: _start calls proc_exit.
const exits = "\x00asm\x01\x00\x00\x00" +
	"\x01\x08\x02\x60\x01\x7f\x00\x60\x00\x00" +
	"\x02\x24\x01\x16wasi_snapshot_preview1\x09proc_exit\x00\x00" +
	"\x03\x02\x01\x01" +
	"\x07\x0a\x01\x06_start\x00\x01" +
	"\x0a\x08\x01\x06\x00\x41\x03\x10\x00\x0b"

func TestStatus(t *testing.T) {
	program := filepath.Join(t.TempDir(), "exits.wasm")
	require.NoError(t, os.WriteFile(program, []byte(exits), 0o600))
	status, err := run(t.Context(), []string{program})
	require.NoError(t, err)
	require.Equal(t, 3, status)
}

func TestNoProgram(t *testing.T) {
	status, err := run(t.Context(), []string{filepath.Join(t.TempDir(), "none.wasm")})
	require.Error(t, err)
	require.Equal(t, failed, status)

	status, err = run(t.Context(), []string{"main_test.go"})
	require.ErrorContains(t, err, "invalid")
	require.Equal(t, failed, status)
}
