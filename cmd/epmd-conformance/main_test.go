package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/internal/otptest"
)

// call runs the program, and gives its status and what it wrote.
func call(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), append([]string{"epmd-conformance"}, args...), &o, &e)
	return status, o.String(), e.String()
}

func TestPlayProgram(t *testing.T) {
	theirs := otptest.Epmd(t)
	dir := t.TempDir()
	page, junit := filepath.Join(dir, "page.html"), filepath.Join(dir, "junit.xml")
	status, out, errs := call(t, "-exec", "theirs="+theirs, "-run", "^names-", "-html", page, "-junit", junit)
	require.Equal(t, allGood, status, "%s%s", out, errs)
	require.Contains(t, out, "theirs")
	require.Contains(t, errs, "0 failed")
	for _, path := range []string{page, junit} {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(b), "names-empty")
	}
}

// TestFailure: a target that is none of the suite's is told from one that is.
func TestFailure(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "wrong.yaml"), []byte(`
area: wrong
about: what no EPMD does
scenarios:
  - name: wrong
    rule: NAMES_REQ is answered with one byte
    why: it never was
    steps: [a -> NAMES_REQ, "a <- 00, closed"]
`), 0o600))
	target := epmdtest.NewServer(t).Addr
	status, out, _ := call(t, "-target", target, "-scenarios", folder)
	require.Equal(t, somethings, status)
	require.Contains(t, out, "wrong")

	list := filepath.Join(folder, "deviations")
	require.NoError(t, os.WriteFile(list, []byte("wrong: it is meant so"), 0o600))
	status, out, _ = call(t, "-target", target, "-scenarios", folder, "-deviations", list)
	require.Equal(t, allGood, status, out)
	require.Contains(t, out, "it is meant so")
}

func TestJSONAndMerge(t *testing.T) {
	folder := t.TempDir()
	var files []string
	for _, name := range []string{"one", "two"} {
		status, out, errs := call(t, "-target", name+"="+epmdtest.NewServer(t).Addr, "-area", "names", "-json")
		require.Equal(t, allGood, status, "%s%s", out, errs)
		file := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(file, []byte(out), 0o600))
		files = append(files, file)
	}
	status, out, errs := call(t, append([]string{"merge"}, files...)...)
	require.Equal(t, allGood, status, "%s%s", out, errs)
	require.Contains(t, out, "one")
	require.Contains(t, out, "two")
	status, _, errs = call(t, "merge")
	require.Equal(t, cannotRun, status)
	require.Contains(t, errs, "name the files")
}

func TestList(t *testing.T) {
	status, out, _ := call(t, "list", "-run", "^names-empty$", "-steps")
	require.Equal(t, allGood, status)
	require.Contains(t, out, "a <- NAMES_RESP, closed")
	status, out, _ = call(t, "list", "-json")
	require.Equal(t, allGood, status)
	var all []conformance.Flat
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	scenarios, err := conformance.Scenarios()
	require.NoError(t, err)
	require.Len(t, all, len(scenarios))
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"name a target":           {},
		"no scenario is selected": {"-target", "127.0.0.1:1", "-run", "no-such-scenario"},
		"no area":                 {"-target", "127.0.0.1:1", "-area", "nowhere"},
		"no regular expression: missing closing )": {"-target", "127.0.0.1:1", "-run", "("},
		`no command "lsit" (did you mean list?)`:   {"-target", "127.0.0.1:1", "lsit"},
		"is no port":                               {"-target", "127.0.0.1:x"},
		"HOST:PORT":                                {"-target", "127.0.0.1"},
		`no host "a..b"`:                           {"-target", "a..b:4369"},
		"did you mean -target?":                    {"-tagret", "127.0.0.1:1"},
		"whole number from 1 on":                   {"-parallel", "x"},
		"500ms, 5s":                                {"-settle", "soon"},
		"give -a and -b":                           {"diff"},
		"takes no argument":                        {"list", "what"},
		"-seed":                                    {"diff", "-seed", "-1"},
		"no such file":                             {"-target", "127.0.0.1:1", "-deviations", "/nonexistent"},
	} {
		status, _, errs := call(t, args...)
		require.Equal(t, cannotRun, status, "%q", args)
		require.Contains(t, errs, want, "%q", args)
		require.NotRegexp(t, `strconv|syntax|pars(e|ing)|lookup \S+:|dial|int|context`, errs, "words of Go")
	}
}

// TestNobodyThere: a target that does not answer is no failure of the target.
func TestNobodyThere(t *testing.T) {
	port, err := conformance.FreePort()
	require.NoError(t, err)
	status, out, _ := call(t, "-target", "127.0.0.1:"+strconv.Itoa(int(port)), "-run", "^names-empty$")
	require.Equal(t, somethings, status)
	require.Contains(t, out, "broken")
}
