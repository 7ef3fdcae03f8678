package otpimages

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otptest"
)

// TestExtract: the program of each image runs without a container. It knows its flags, so
// it is epmd.
func TestExtract(t *testing.T) {
	otptest.Heavy(t)
	for _, name := range []string{"23", "25", "27", "29"} {
		ref, here, err := Ref(t.Context(), name)
		if err != nil || !here {
			otptest.Missing(t, "the image of OTP "+name+" (run: go run ./docker/otp-images)")
		}
		program, err := Extract(t.Context(), ref, t.TempDir())
		require.NoError(t, err)
		out, err := exec.CommandContext(t.Context(), program, "-port", "29999", "-names").CombinedOutput()
		bad := new(exec.ExitError)
		require.ErrorAs(t, err, &bad)
		require.Equal(t, "epmd: Cannot connect to local epmd\n", string(out))
	}
}
