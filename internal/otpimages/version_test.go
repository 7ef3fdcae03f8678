package otpimages

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestJudge: a version that was not tried is an error where the source can move, and where
// OTP's own is another; a security update of a released suite is told.
func TestJudge(t *testing.T) {
	released := otp("25", "bookworm", "25.2.3+dfsg-1+deb12u4").pulled("25.2.3")
	moving := otp("29", "forky", "29.1.1+dfsg-1", "29.1.2+dfsg-1").pulled("29.1.2").moving()
	for _, c := range []struct {
		name        string
		r           recipe
		v           versions
		remark, err string
	}{
		{"tried", released, versions{"25.2.3", "25.2.3+dfsg-1+deb12u4"}, "", ""},
		{"either of two", moving, versions{"29.1.1", "29.1.1+dfsg-1"}, "", ""},
		{"pulled", released, versions{"25.2.3", ""}, "", ""},
		{"an update", released, versions{"25.2.3", "25.2.3+dfsg-1+deb12u5"},
			"Debian's bookworm has OTP 25.2.3+dfsg-1+deb12u5, and the scenarios were played to 25.2.3+dfsg-1+deb12u4: if some", ""},
		{"another OTP", released, versions{"25.3", "25.3+dfsg-1"}, "", "Debian's bookworm has OTP 25.3+dfsg-1"},
		{"another one is pulled", released, versions{"25.2.3.1", ""}, "", "the registry's erlang:25.2.3 has OTP 25.2.3.1"},
		{"a moving suite's update", moving, versions{"29.1.2", "29.1.2+dfsg-2"}, "", "Debian's forky has OTP 29.1.2+dfsg-2"},
		{"a moving suite's next", moving, versions{"29.2", "29.2+dfsg-1"}, "", `add its version to the recipe of "29"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			remark, err := c.r.judge(c.v)
			require.Contains(t, remark, c.remark)
			require.Equal(t, c.remark == "", remark == "")
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.err)
			require.ErrorContains(t, err, "and the scenarios were played to "+c.r.Tried[0])
		})
	}
}

func TestPackageVersion(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	for file, want := range map[string]string{
		"erlang-base_1%3a27.3.4.1+dfsg-1+deb13u4_amd64.deb": "27.3.4.1+dfsg-1+deb13u4",
		"erlang-base_1%3a29.1.2+dfsg-1+b12_arm64.deb":       "29.1.2+dfsg-1",
		"erlang-base_29.0~rc1-1_amd64.deb":                  "29.0~rc1-1",
		"erlang-base-hipe_1%3a23.2.6+dfsg-1_amd64.deb":      "",
	} {
		require.NoError(t, os.WriteFile(list, []byte("erlang-asn1_1%3a1_amd64.deb\n"+file+"\n"), 0o600))
		got, err := packageVersion(list)
		require.Equal(t, want, got)
		require.Equal(t, want == "", err != nil)
	}
	require.Equal(t, "29.0", ofOTP("29.0~rc1-1"))
	require.Equal(t, "27.3.4.1", ofOTP("27.3.4.1"))
}
