package version

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBuilt: a release tells what the linker was given.
func TestBuilt(t *testing.T) {
	release, commit = "1.2.3", "0123456789abcdef"
	defer func() { release, commit = "", "" }()
	require.Equal(t, "1.2.3", Number())
	require.Equal(t, "1.2.3 ("+runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH+", commit 0123456789ab)", Built())
}

// TestDevelopment: without the linker's word there is a number still, and the Go.
func TestDevelopment(t *testing.T) {
	require.NotEmpty(t, Number())
	require.Contains(t, Built(), runtime.Version()+" ")
}
