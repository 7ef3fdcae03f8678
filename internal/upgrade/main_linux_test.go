package upgrade_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

// program is cmd/epmd, as built for the tests.
var program string

func TestMain(m *testing.M) { os.Exit(prepareAndRun(m)) }

func prepareAndRun(m *testing.M) int {
	if !rig.InOwnNetwork() {
		if status, err := rig.RunInOwnNetwork(); err == nil {
			return status
		}
	} else if err := rig.LoopbackUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "goepmd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "epmd")
	args := []string{"build", "-o", program}
	if os.Getenv("GOEPMD_RACE") == "1" { // the daemon under the race detector
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "../../cmd/epmd")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
