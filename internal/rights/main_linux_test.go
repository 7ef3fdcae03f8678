package rights

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

// patience bounds what should happen at once, on a machine that is busy.
const patience = 30 * time.Second

// program is cmd/epmd, as built for the tests.
var program string

// Why tests cannot run; empty if they can.
var noNetwork, noIPv6 string

func TestMain(m *testing.M) { os.Exit(prepareAndRun(m)) }

func prepareAndRun(m *testing.M) int {
	if !rig.InOwnNetwork() {
		status, err := rig.RunInOwnNetwork()
		if err == nil {
			return status
		}
		noNetwork = fmt.Sprintf("a network namespace (%v); to get it: run as root, or allow user namespaces", err)
		return m.Run()
	}
	if err := makeNetwork(); err != nil {
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
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/epmd").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// makeNetwork gives the new network all addresses of the peers.
func makeNetwork() error {
	if err := rig.LoopbackUp(); err != nil {
		return err
	}
	if err := rig.RemoteNetwork(); err != nil {
		return err
	}
	for _, p := range peers {
		for _, a := range []netip.Addr{p.from, p.to} {
			if !a.Is6() || a.IsLoopback() {
				continue
			}
			if err := rig.LoopbackAddress6(a.WithZone("")); err != nil {
				noIPv6 = fmt.Sprintf("IPv6 (%v); to get it: boot without ipv6.disable, and set net.ipv6.conf.all.disable_ipv6 to 0", err)
			}
		}
	}
	return nil
}

// requireEnv, set to 1, makes a failure of what would be skipped.
const requireEnv = "GOEPMD_REQUIRE_OTP"

// missing skips a test for want of something, and says how to get it; an empty text is
// that nothing is missing.
func missing(t *testing.T, what string) {
	t.Helper()
	if what == "" {
		return
	}
	if os.Getenv(requireEnv) == "1" {
		t.Fatalf("%s is missing; %s=1 makes that a failure", what, requireEnv)
	}
	t.Skipf("SKIPPED: this machine lacks %s", what)
}
