package faults_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
)

// programs are those built for the tests; findings what they led to.
var (
	programs struct{ epmd, embedded string }
	findings table
)

func TestMain(m *testing.M) {
	if !otptest.HeavyRun() {
		os.Exit(m.Run()) // each test says why it is skipped, and needs no program for that
	}
	status := rig.Main(m, map[*string][]string{
		&programs.epmd: {"../../cmd/epmd"}, &programs.embedded: {"./embedded"},
	})
	if err := findings.show(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}
