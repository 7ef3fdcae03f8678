package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Main runs tests in a network of their own, where the system allows that: there are more
// connections than other tests and containers would like. Before, it builds programs, each
// with a call of the go command, and says where they are. It gives the exit status.
func Main(m *testing.M, programs map[*string][]string) int {
	err := error(nil)
	if !InOwnNetwork() {
		if status, failed := RunInOwnNetwork(); failed == nil {
			return status
		}
	} else {
		err = LoopbackUp()
	}
	dir, failed := os.MkdirTemp("", "goepmd")
	if err == nil {
		err = failed
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for path, words := range programs {
		*path = filepath.Join(dir, filepath.Base(words[len(words)-1]))
		args := append([]string{"build", "-o", *path}, words...)
		if out, failed := exec.Command("go", args...).CombinedOutput(); failed != nil && err == nil {
			err = fmt.Errorf("go %q: %w\n%s", args, failed, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
