package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// seedEnv fixes what the property tests try, so that each run finds the same.
const seedEnv = "GOEPMD_SEED"

// overlay is texts that the go command takes in place of the module's files.
type overlay struct {
	path  string
	files map[string]string // those of the module, by the names of the files of their texts
}

// writeOverlay writes an overlay into a folder.
func (m module) writeOverlay(dir string, texts map[string]string) (overlay, error) {
	o := overlay{filepath.Join(dir, "overlay.json"), map[string]string{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return o, err
	}
	replace := map[string]string{}
	for file, text := range texts {
		path := filepath.Join(dir, fmt.Sprintf("mutate_overlay_%d.go", len(replace)))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return o, err
		}
		o.files[filepath.Base(path)] = file
		replace[filepath.Join(m.root, filepath.FromSlash(file))] = path
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return o, err
	}
	return o, os.WriteFile(o.path, text, 0o600)
}

// compileErrors are what the compiler has against a text, by its places.
type compileErrors struct {
	places []place
	text   string
}

type place struct {
	file string // below the module's root
	line int
}

func (e compileErrors) Error() string { return "it does not compile: " + e.text }

var compileError = regexp.MustCompile(`(?m)^(\S+\.go):(\d+)(?::\d+)?: `)

// build runs the go command on an overlay, or without; the error is compileErrors if
// the compiler refused a text.
func (m module) build(ctx context.Context, o overlay, args ...string) error {
	if o.path != "" {
		args = append([]string{args[0], "-overlay", o.path}, args[1:]...)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = m.root
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	e := compileErrors{text: string(bytes.TrimSpace(out))}
	for _, at := range compileError.FindAllStringSubmatch(e.text, -1) {
		line, err := strconv.Atoi(at[2])
		if err != nil {
			return err
		}
		file := filepath.ToSlash(filepath.Clean(at[1]))
		if of, ok := o.files[filepath.Base(at[1])]; ok {
			file = of // the compiler names the file that it read, by a path that may be cut
		}
		e.places = append(e.places, place{file, line})
	}
	if len(e.places) == 0 {
		return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, e.text)
	}
	return e
}

// buildTest compiles the tests of a package.
func (m module) buildTest(ctx context.Context, o overlay, pkg, program string, more ...string) error {
	args := append([]string{"test", "-c", "-vet=off", "-o", program}, more...)
	return m.build(ctx, o, append(args, "./"+pkg)...)
}

// failure is how tests noticed a mutant; the zero value is not at all.
type failure struct {
	Package string `json:"package,omitempty"`
	Test    string `json:"test,omitempty"`
	// How is empty if the test said so itself.
	How string `json:"how,omitempty"`
}

const (
	noEnd = "no end"
	crash = "crash"
)

func (f failure) String() string {
	s := f.Test
	if f.How != "" {
		s = strings.TrimSpace(s + " " + f.How)
	}
	return s + " in " + f.Package
}

// run is one run of a test program.
type run struct {
	pkg, program string
	limit        time.Duration
	bundle       bool
	mutant       int // of the bundle; 0 is none
	args         []string
}

// memoryGuard runs a program with at most 4 GB of addresses: a mutant may loop and
// allocate without an end.
const memoryGuard = `ulimit -v 4194304; exec "$0" "$@"`

// test runs a test program until a test fails. It gives the whole output, too.
func (m module) test(ctx context.Context, r run) (failure, string, error) {
	deadline, cancel := context.WithTimeout(ctx, r.limit+10*time.Second)
	defer cancel()
	args := append([]string{"-c", memoryGuard, r.program, "-test.short", "-test.timeout=" + r.limit.String()}, r.args...)
	cmd := exec.CommandContext(deadline, "sh", args...)
	cmd.Dir = filepath.Join(m.root, filepath.FromSlash(r.pkg))
	cmd.WaitDelay = time.Second
	cmd.Env = cmd.Environ()
	if r.bundle {
		cmd.Env = append(cmd.Env, mutantEnv+"="+strconv.Itoa(r.mutant))
	}
	if os.Getenv(seedEnv) == "" {
		cmd.Env = append(cmd.Env, seedEnv+"=1")
	}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return failure{}, "", ctx.Err()
	}
	if err == nil {
		return failure{}, string(out), nil
	}
	if cmd.ProcessState == nil {
		return failure{}, "", err
	}
	f := readFailure(r.pkg, string(out))
	if deadline.Err() != nil {
		f.How = noEnd
	}
	return f, string(out), nil
}

var (
	failedTest  = regexp.MustCompile(`(?m)^\s*--- FAIL: ([^/\s]+)`)
	runningTest = regexp.MustCompile(`(?m)^\t\t?(Test\w+)[/ ]|\.((?:Test|Fuzz|Example)\w+)\(`)
)

// readFailure finds in the output of a test program that failed what was first.
func readFailure(pkg, out string) failure {
	f := failure{Package: pkg}
	switch {
	case strings.Contains(out, "panic: test timed out"):
		f.How = noEnd
	case strings.Contains(out, "fatal error: "), strings.Contains(out, "panic: "):
		f.How = crash
	}
	if t := failedTest.FindStringSubmatch(out); t != nil && f.How != noEnd {
		f.Test = t[1]
	} else if t := runningTest.FindStringSubmatch(out); t != nil {
		f.Test = t[1] + t[2]
	}
	return f
}

// failedTests is every test that failed, once each.
func failedTests(out string) []string {
	names, seen := []string{}, map[string]bool{}
	for _, t := range failedTest.FindAllStringSubmatch(out, -1) {
		if !seen[t[1]] {
			seen[t[1]] = true
			names = append(names, t[1])
		}
	}
	return names
}

var passedTest = regexp.MustCompile(`(?m)^--- PASS: (\S+) \(([0-9.]+)s\)$`)

// slowTests is the tests that took long, by what they wrote with -test.v.
func slowTests(out string) (slow []string) {
	for _, t := range passedTest.FindAllStringSubmatch(out, -1) {
		if took, err := time.ParseDuration(t[2] + "s"); err == nil && took >= slowTest {
			slow = append(slow, t[1])
		}
	}
	return slow
}
