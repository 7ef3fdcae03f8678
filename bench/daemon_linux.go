package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/conformance"
)

// A daemon is a program under load.
type daemon struct {
	port  uint16
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
	err   error         // of Wait, then
}

// startTries is how many ports are tried: somebody else may take one in the moment
// between finding it free and using it.
const startTries = 5

func startDaemon(ctx context.Context, p Program) (*daemon, error) {
	var errs error
	for range startTries {
		d, err := tryDaemon(ctx, p)
		if err == nil {
			return d, nil
		}
		errs = err
		if ctx.Err() != nil || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			break
		}
	}
	return nil, fmt.Errorf("%s does not start: %w", p.Path, errs)
}

func tryDaemon(ctx context.Context, p Program) (*daemon, error) {
	port, err := conformance.FreePort()
	if err != nil {
		return nil, err
	}
	args := append(append([]string{}, p.Args...), "-port", strconv.Itoa(int(port)), "-address", "127.0.0.1")
	d := &daemon{port: port, cmd: exec.Command(p.Path, args...), ended: make(chan struct{})}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ERL_EPMD_") {
			d.cmd.Env = append(d.cmd.Env, e)
		}
	}
	// It ends with this program, however that ends.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(d.ended)
		d.err = d.cmd.Wait()
	}()
	if err := conformance.AwaitListening(ctx, port, d.ended); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// died says how the daemon has ended by itself; empty if it runs. Whoever suspects that it
// has ended gives it a moment.
func (d *daemon) died(suspect bool) string {
	if suspect {
		select {
		case <-d.ended:
		case <-time.After(time.Second):
		}
	}
	select {
	case <-d.ended:
		return d.cmd.ProcessState.String()
	default:
		return ""
	}
}

// stop kills the daemon, which has nothing to save, and waits for its end.
func (d *daemon) stop() error {
	err := d.cmd.Process.Kill()
	<-d.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// cpu is the CPU time that the daemon has taken, in user and kernel mode, with all its
// threads, also those that have ended. It is the process's CPU clock: what
// /proc/PID/stat shows is the same account in steps of 10 ms, and the sum of
// /proc/PID/task/*/schedstat lacks ended threads.
func (d *daemon) cpu() (time.Duration, error) {
	const schedClock = 2 // the clock that counts nanoseconds on a CPU
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^d.cmd.Process.Pid<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", d.cmd.Process.Pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// resident is the daemon's resident memory in bytes, counted page by page: the
// figure in /proc/PID/status may be off by some pages for each CPU.
func (d *daemon) resident() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", d.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("resident memory: %w", err)
	}
	for line := range bytes.Lines(b) {
		var kib int64
		if _, err := fmt.Sscanf(string(line), "Rss: %d kB", &kib); err == nil {
			return kib * 1024, nil
		}
	}
	return 0, errors.New("resident memory: smaps_rollup has no Rss")
}
