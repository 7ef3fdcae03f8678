package lab

import (
	"fmt"
	"os"
	"testing"
)

// programEnv, in the environment of this test's program, has it be one of programs.
const programEnv = "GOEPMD_LAB_PROGRAM"

// programs are what this test's program can be besides the test: what runs on the
// machines, and is neither a node nor an EPMD.
var programs = map[string]func(args []string) error{
	"init": initProgram,
	"mute": mute, "web": web, "relay": relay, "cnodes": cnodes, "crowd": crowd, "ancient": ancient, "dns": dns, "listener": listener,
}

func TestMain(m *testing.M) {
	name := os.Getenv(programEnv)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := programs[name](os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}
