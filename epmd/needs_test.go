package epmd_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// needFiles skips a test that gives a connection to somebody else, as a file.
func needFiles(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows gives no socket as a file; run it on Unix")
	}
}

// needSelf skips a test that runs itself in another process. An emulator of a processor
// cannot, unless the system is told to use it.
func needSelf(t *testing.T) {
	t.Helper()
	err := exec.Command(os.Args[0], "-test.run=^$").Run()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("SKIPPED: this system starts no program of an emulated processor; run it on a real one")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// listenUnix listens at a Unix socket. It skips a test where the system has none.
func listenUnix(t *testing.T) net.Listener {
	t.Helper()
	if !hasUnix(t) {
		t.Skip("SKIPPED: this system has no Unix sockets; run it on another")
	}
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// hasUnix says whether the system has Unix sockets: some Windows does, wine does not.
func hasUnix(t *testing.T) bool {
	t.Helper()
	if runtime.GOOS != "windows" {
		return true
	}
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		return false
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return true
}
