package main

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// core is the packages whose tests run under the race detector, with their coverage:
// all that runs in the process of the tests, not in a daemon that they start.
var core = []string{"wire", "registry", "epmd", "metrics", "epmdhttp"}

// daily is what everybody runs before a commit.
func daily() ([]stage, error) {
	others, err := packages(func(name string) bool { return !inCore(name) })
	if err != nil {
		return nil, err
	}
	return []stage{
		{
			name: "setup", does: "install what is missing",
			command: shell("scripts/setup.sh && " + modules),
		},
		{
			name: "format", does: "gofmt", after: []string{"setup"},
			command: shell(`odd=$(gofmt -l .); [ -z "$odd" ] || { echo "run gofmt -w on:"; echo "$odd"; exit 1; }`),
		},
		{
			name: "vet", does: "go vet", after: []string{"setup"},
			command: []string{"go", "vet", "./..."},
		},
		{
			name: "core", does: "the core's tests, under the race detector and with their coverage", after: []string{"setup"}, lane: waits,
			command: goTest(slices.Concat([]string{"-p", "3", "-race", "-cover", "-covermode=atomic"}, under(core))...), tests: true,
			cover: map[string]float64{"wire": 95, "registry": 95, "epmd/session": 95},
		},
		{
			name: "wasm", does: "the WebAssembly module, built and played the suite in Node", after: []string{"setup"},
			command: []string{"scripts/wasm.sh"},
		},
		{
			name: "staticcheck", does: "staticcheck", after: []string{"setup"},
			command: []string{"go", "tool", "-modfile=tools/go.mod", "staticcheck", "./..."},
		},
		{
			name: "others", does: "the tests of all other packages; the program is played the suite, each fuzz target its seeds",
			after: []string{"vet"}, lane: waits,
			command: goTest(slices.Concat([]string{"-p", "3"}, others)...), tests: true,
		},
		{
			name: "lockstep", does: "random conversations with the installed OTP's epmd and ours, from a new seed", after: []string{"vet"},
			command: []string{"scripts/lockstep.sh"},
		},
	}, nil
}

// modules downloads what the tests and tools are made of while there is a network: a
// network of their own has none.
const modules = `go list -deps -test ./... >/dev/null && go list -modfile=tools/go.mod -deps tool >/dev/null`

// under are the patterns of packages and of all below them.
func under(packages []string) []string {
	var patterns []string
	for _, name := range packages {
		patterns = append(patterns, "./"+name+"/...")
	}
	return patterns
}

func inCore(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return slices.Contains(core, top)
}

// packages are our packages with tests for which choose says true, given their path in
// the module.
func packages(choose func(name string) bool) ([]string, error) {
	out, err := exec.Command("go", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./...").Output()
	if end := new(exec.ExitError); errors.As(err, &end) {
		return nil, fmt.Errorf("the packages cannot be listed: %s", end.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("the packages cannot be listed: %w", err)
	}
	var chosen []string
	for _, path := range strings.Fields(string(out)) {
		if name := strings.TrimPrefix(path, module); choose(name) {
			chosen = append(chosen, "./"+name)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("go list finds no package of %s here: run it in the folder of the module", module)
	}
	return chosen, nil
}
