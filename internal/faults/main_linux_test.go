package faults_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
)

// programs are those built for the tests; findings what they led to.
var (
	programs struct{ epmd, embedded string }
	findings table
)

func TestMain(m *testing.M) { os.Exit(prepareAndRun(m)) }

func prepareAndRun(m *testing.M) int {
	if !otptest.HeavyRun() {
		return m.Run() // each test says why it is skipped, and needs no program for that
	}
	if !rig.InOwnNetwork() {
		// There are more connections than other tests and containers would like.
		if status, err := rig.RunInOwnNetwork(); err == nil {
			return status
		}
		return buildAndRun(m)
	}
	if err := rig.LoopbackUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return buildAndRun(m)
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "goepmd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs.epmd, programs.embedded = filepath.Join(dir, "epmd"), filepath.Join(dir, "embedded")
	for path, pkg := range map[string]string{programs.epmd: "../../cmd/epmd", programs.embedded: "./embedded"} {
		if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
	}
	status := m.Run()
	if err := findings.show(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}
