package otpimages

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestMirrorOf(t *testing.T) {
	const stanza = `Types: deb
# http://other.test/comment
URIs: http://deb.test/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://deb.test/security
Suites: bookworm-security
Components: main
`
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // empty: none
	}{
		{"nothing", nil, ""},
		{"stanzas", map[string]string{"sources.list.d/debian.sources": stanza}, "http://deb.test/debian"},
		{"security first", map[string]string{"sources.list": `
deb http://deb.test/security trixie-security main
deb [arch=amd64 signed-by=/k.gpg] http://deb.test/one trixie main contrib # why
`}, "http://deb.test/one"},
		{"sources only", map[string]string{"sources.list": "deb-src http://deb.test/debian sid main\n"}, ""},
		{"others", map[string]string{
			"sources.list.d/a.list":    "deb http://cloud.test sdk-bookworm main\n",
			"sources.list.d/b.sources": "Types: deb\nURIs: http://node.test\nSuites: nodistro\nComponents: main\n",
			"sources.list.d/c.sources": "Enabled: no\nTypes: deb\nURIs: http://off.test\nSuites: sid\nComponents: main\n",
			"sources.list.d/d.save":    "deb http://old.test sid main\n",
		}, ""},
		{"a field over several lines", map[string]string{
			"sources.list.d/a.sources": "Types: deb\nURIs:\n http://deb.test/long\n http://deb.test/other\nSuites: stable\nComponents: contrib\n main\n",
		}, "http://deb.test/long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for name, text := range c.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := mirrorOf(files)
			require.Equal(t, c.want, got)
			if c.want == "" {
				require.ErrorContains(t, err, mirrorEnv)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestMirrorEnv(t *testing.T) {
	t.Setenv(mirrorEnv, "http://deb.test/mine")
	got, err := mirror()
	require.NoError(t, err)
	require.Equal(t, "http://deb.test/mine", got)
}
