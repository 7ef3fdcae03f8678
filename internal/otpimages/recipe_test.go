package otpimages

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRefFollowsRecipe(t *testing.T) {
	r := otp("27", "trixie", "27.3.4.1+dfsg-1+deb13u4")
	ref, err := r.ref()
	require.NoError(t, err)
	require.Regexp(t, `^goepmd-otp:27-[0-9a-f]{12}$`, ref)
	for name, change := range map[string]func(*recipe){
		"suite":    func(r *recipe) { r.Suite = "sid" },
		"packages": func(r *recipe) { r.Packages = append(r.Packages[:1:1], "elixir") },
		"options":  func(r *recipe) { r.Options = nil },
		"settings": func(r *recipe) { r.Settings = nil },
		"pull":     func(r *recipe) { r.Pull = "erlang:27" },
		"versions": func(r *recipe) { r.Tried = append(r.Tried[:1:1], "27.3.4.16") },
		"edition":  func(r *recipe) { r.Edition++ },
	} {
		other := r
		change(&other)
		got, err := other.ref()
		require.NoError(t, err)
		require.NotEqual(t, ref, got, name)
	}
}

func TestNames(t *testing.T) {
	require.Equal(t, []string{"23", "25", "27", "29", "apps", "apps-27", "clients", "systemd", "supervisors", "wine"}, Names())
	seen := make(map[string]bool)
	for _, name := range Names() {
		r, err := find(name)
		require.NoError(t, err)
		ref, err := r.ref()
		require.NoError(t, err)
		require.False(t, seen[ref])
		if r.Pull != "" {
			_, err := r.judge(versions{OTP: strings.TrimPrefix(r.Pull, "erlang:")})
			require.NoError(t, err, "what is pulled is what the scenarios were played to")
		}
		seen[ref] = true
	}
	_, err := find("26")
	require.ErrorContains(t, err, "there are 23, 25, 27, 29, apps, apps-27, clients, systemd, supervisors, wine")
}
