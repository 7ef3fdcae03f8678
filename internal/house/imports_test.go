package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/goepmd/goepmd/"

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath, Name string
	Standard         bool
	Imports          []string
	Deps             []string
	Export           string // the file in which the compiler wrote down what is exported
}

// list asks the go command about packages, for a platform. Export is told with -export.
func list(t *testing.T, goos string, patterns ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Name,Standard,Imports,Deps,Export"}, patterns...)...)
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "GOOS="+goos)
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	require.NoError(t, err, "%s", failure.Bytes())
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			require.NotEmpty(t, pkgs)
			return pkgs
		}
		require.NoError(t, err)
		pkgs = append(pkgs, p)
	}
}

// TestCoreNeedsNothing: wire, registry and epmd need the standard library and
// golang.org/x/sys, and no other module, on every platform.
func TestCoreNeedsNothing(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows", "freebsd"} {
		for _, p := range list(t, goos, "./wire", "./registry/...", "./epmd/...") {
			ours := strings.HasPrefix(p.ImportPath, module)
			xsys := strings.HasPrefix(p.ImportPath, "golang.org/x/sys/")
			require.True(t, p.Standard || ours || xsys, "%s: %s", goos, p.ImportPath)
		}
	}
}

// TestPureNeedsLess: what decides without a socket cannot even reach one.
func TestPureNeedsLess(t *testing.T) {
	for _, p := range list(t, "linux", "./wire", "./registry/...", "./epmd/session") {
		if !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		for _, banned := range []string{"net", "os", "syscall", "log", "log/slog", "unsafe"} {
			require.NotContains(t, p.Imports, banned, p.ImportPath)
		}
	}
}

// arrows are the imports among our own packages that the house allows; what is
// above may use what is below, never the other way.
var arrows = map[string][]string{
	"wire":           {},
	"registry":       {"wire"},
	"registry/state": {"registry", "wire"},
	"epmd/session":   {"registry", "wire"},
	"epmd": {
		"epmd/internal/dial", "epmd/internal/engine", "epmd/internal/epoll", "epmd/internal/handover", "epmd/internal/places", "epmd/internal/portable",
		"epmd/internal/report", "epmd/internal/sockets", "epmd/session", "registry", "registry/state", "wire",
	},

	// No engine knows the other, a server, or how a handover is spoken.
	"epmd/internal/epoll":    {"epmd/internal/engine", "epmd/internal/places", "epmd/internal/report", "epmd/internal/sockets", "epmd/session", "registry", "registry/state", "wire"},
	"epmd/internal/portable": {"epmd/internal/engine", "epmd/internal/places", "epmd/internal/report", "epmd/internal/sockets", "epmd/session", "registry", "registry/state", "wire"},
	"epmd/internal/handover": {"epmd/internal/engine", "epmd/internal/sockets", "registry/state"},
	"epmd/internal/engine":   {"epmd/internal/places", "epmd/internal/report", "epmd/internal/sockets", "epmd/session", "registry", "registry/state", "wire"},
	"epmd/internal/report":   {"epmd/internal/places", "epmd/session", "registry", "wire"},
	"epmd/internal/places":   {"registry"},
	"epmd/internal/sockets":  {},
	"epmd/internal/dial":     {},

	"epmdtest":      {"epmd", "epmd/session", "registry", "wire"},
	"doctor":        {"conformance/nodes/cnode", "epmd", "wire"},
	"fuzz/model":    {"wire"},
	"fuzz/property": {},
	"metrics":       {"epmd", "epmd/session", "registry", "wire"},
	"epmdhttp":      {"epmd", "metrics", "registry", "wire"},

	"internal/fields":  {"epmd/session", "registry", "wire"},
	"internal/testbed": {},
	"internal/version": {},
	"internal/cmdline": {"internal/version"},

	"conformance":             {"internal/testbed"},
	"conformance/report":      {"conformance"},
	"conformance/container":   {"conformance"},
	"conformance/nodes/cnode": {},
	"conformance/nodes":       {"conformance", "conformance/nodes/cnode", "internal/otptest/evalloop", "internal/testbed", "wire"},

	"fuzz/machine": {"epmd/session", "registry", "wire"},
}

func TestArrows(t *testing.T) {
	seen := 0
	for _, p := range list(t, "linux", "./...") {
		name, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		allowed, known := arrows[name]
		if known {
			seen++
		}
		for _, i := range p.Imports {
			to, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			require.True(t, !known || slices.Contains(allowed, to), "%s must not import %s", name, to)
			require.False(t, strings.HasPrefix(to, "cmd/") || strings.HasPrefix(to, "examples/"), "%s must not import %s", name, to)
		}
	}
	require.Equal(t, len(arrows), seen)
}
