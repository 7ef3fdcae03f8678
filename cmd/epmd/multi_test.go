package main

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otptest"
)

// TestMultiTransportElsewhere: with -multi_transport the commands print the same as
// without it where the daemon does not speak the extension, ours or OTP's, and where no
// node has transports.
func TestMultiTransportElsewhere(t *testing.T) {
	daemons := map[string]*daemon{
		"with": start(t, program, "-multi_transport"), "without": start(t, program), "OTP's": start(t, otptest.Epmd(t)),
	}
	for name, d := range daemons {
		for i, n := range []string{"first", "gone", "a b\nc"} {
			r, err := d.client().Register(context.Background(), node(n, uint16(i)))
			require.NoError(t, err)
			defer func() { require.NoError(t, r.Close()) }()
			if n == "gone" {
				require.NoError(t, r.Close())
			}
		}
		port := strconv.Itoa(d.port)
		for _, command := range []string{"-names", "-dump", "-started", "-kill"} {
			want := call(t, program, "-port", port, command)
			got := call(t, program, "-port", port, "-multi_transport", command)
			require.Equal(t, want, got, "%s, %s", name, command)
		}
	}
	nobody := strconv.Itoa(freePort(t))
	require.Equal(t, call(t, program, "-port", nobody, "-names"), call(t, program, "-port", nobody, "-multi_transport", "-names"))
}
