package otpimages

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// mirrorEnv names the mirror to use.
const mirrorEnv = "GOEPMD_DEBIAN_MIRROR"

// source is one line of apt's sources, or a stanza.
type source struct {
	types, uris, suites, components []string
	disabled                        bool
}

// debian are the suites that tell Debian's archive from those of others; those
// with security fixes and the like have a longer name, and an archive of their own.
var debian = []string{
	"oldoldstable", "oldstable", "stable", "testing", "unstable",
	"bullseye", "bookworm", "trixie", "forky", "duke", "sid",
}

// mirror is Debian's archive as this machine's apt knows it.
func mirror() (string, error) {
	if m := os.Getenv(mirrorEnv); m != "" {
		return m, nil
	}
	return mirrorOf(os.DirFS("/etc/apt"))
}

func mirrorOf(apt fs.FS) (string, error) {
	names, err := fs.Glob(apt, "sources.list.d/*")
	if err != nil {
		return "", err
	}
	for _, name := range append([]string{"sources.list"}, names...) {
		text, err := fs.ReadFile(apt, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		var all []source
		switch path.Ext(name) {
		case ".list":
			all = oneLine(string(text))
		case ".sources":
			all = stanzas(string(text))
		}
		for _, s := range all {
			if s.isDebian() {
				return s.uris[0], nil
			}
		}
	}
	return "", errors.New("apt's sources name no mirror of Debian: set " + mirrorEnv + " to the address of one")
}

func (s source) isDebian() bool {
	known := func(suite string) bool { return slices.Contains(debian, suite) }
	return !s.disabled && len(s.uris) > 0 && slices.Contains(s.types, "deb") &&
		slices.Contains(s.components, "main") && slices.ContainsFunc(s.suites, known)
}

// oneLine reads "deb [options] URI suite components".
func oneLine(text string) []source {
	var all []source
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if before, rest, found := strings.Cut(line, "["); found {
			_, after, _ := strings.Cut(rest, "]")
			line = before + after
		}
		if f := strings.Fields(line); len(f) >= 4 {
			all = append(all, source{types: f[:1], uris: f[1:2], suites: f[2:3], components: f[3:]})
		}
	}
	return all
}

// stanzas reads "Field: value" lines, in groups between empty lines.
func stanzas(text string) []source {
	var all []source
	var s source
	var field string
	lines := bufio.NewScanner(strings.NewReader(text + "\n\n"))
	for lines.Scan() {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			all = append(all, s)
			s, field = source{}, ""
			continue
		}
		if line[0] == '#' {
			continue
		}
		value := line // goes on with the field before
		if line[0] != ' ' && line[0] != '\t' {
			field, value, _ = strings.Cut(line, ":")
		}
		words := strings.Fields(value)
		switch strings.ToLower(field) {
		case "types":
			s.types = append(s.types, words...)
		case "uris":
			s.uris = append(s.uris, words...)
		case "suites":
			s.suites = append(s.suites, words...)
		case "components":
			s.components = append(s.components, words...)
		case "enabled":
			s.disabled = slices.Equal(words, []string{"no"})
		}
	}
	return all
}
