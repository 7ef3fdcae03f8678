package platforms

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/internal/otptest"
)

// emulators are qemu's names of processors, by Go's.
var emulators = map[string]string{"arm64": "aarch64", "riscv64": "riscv64"}

// TestEmulated plays a part of the suite to the daemon for other processors.
func TestEmulated(t *testing.T) {
	otptest.Heavy(t)
	for arch, processor := range emulators {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			qemu, err := exec.LookPath("qemu-" + processor + "-static")
			if err != nil {
				otptest.MissingProgram(t, "qemu for "+arch, "qemu-user-static", "the daemon does not run there")
			}
			daemon := filepath.Join(t.TempDir(), "epmd")
			build(t, "linux", arch, "build", "-o", daemon, "./cmd/epmd")
			r := conformance.Runner{Parallel: 12, Deviations: deviations(t)}
			col, err := r.Run(t.Context(), conformance.Program(arch, qemu, daemon), 0, sample(t))
			require.NoError(t, err)
			requireGood(t, col.Results)
		})
	}
}
