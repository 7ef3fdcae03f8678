package bench

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/goepmd/goepmd/internal/testbed"
)

// A daemon is a program under load.
type daemon struct{ *testbed.Process }

func startDaemon(ctx context.Context, p Program) (*daemon, error) {
	grace := testbed.NoGrace(ctx, p.Path, p.Args...) // OTP's has none
	d, err := testbed.Start(ctx, func(port uint16) *exec.Cmd {
		return testbed.Command(p.Path, slices.Concat(p.Args, grace, []string{"-port", strconv.Itoa(int(port)), "-address", "127.0.0.1"})...)
	})
	if err != nil {
		return nil, fmt.Errorf("%s does not start: %w", p.Path, err)
	}
	return &daemon{d}, nil
}

// died says how the daemon has ended by itself; empty if it runs. Whoever suspects that it
// has ended gives it a moment.
func (d *daemon) died(suspect bool) string {
	if suspect {
		select {
		case <-d.Ended():
		case <-time.After(time.Second):
		}
	}
	return d.Died()
}
