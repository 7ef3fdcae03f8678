package upgrade_test

import (
	"os"
	"testing"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

// program is cmd/epmd, as built for the tests.
var program string

func TestMain(m *testing.M) {
	words := []string{"../../cmd/epmd"}
	if os.Getenv("GOEPMD_RACE") == "1" { // the daemon under the race detector
		words = []string{"-race", "../../cmd/epmd"}
	}
	os.Exit(rig.Main(m, map[*string][]string{&program: words}))
}
