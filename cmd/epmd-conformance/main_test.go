package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
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
	require.NoError(t, os.WriteFile(list, []byte("wrong: {why: it is meant so, steps: [a -> NAMES_REQ, 'a <- NAMES_RESP, closed']}"), 0o600))
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

// TestNobodyThere: a target that is not there is no failure of the target.
func TestNobodyThere(t *testing.T) {
	port, err := conformance.FreePort()
	require.NoError(t, err)
	status, _, errs := call(t, "-target", "127.0.0.1:"+strconv.Itoa(int(port)), "-run", "^names-empty$")
	require.Equal(t, cannotRun, status)
	require.Contains(t, errs, "connection refused")
}

// TestTarget: OTP's own epmd has nothing to mend when it has been running before.
func TestTarget(t *testing.T) {
	t.Parallel()
	port, err := conformance.FreePort()
	require.NoError(t, err)
	theirs, err := testbed.StartOn(t.Context(), port, testbed.Command(otptest.Epmd(t), "-port", strconv.Itoa(int(port))))
	require.NoError(t, err)
	t.Cleanup(theirs.Stop)
	for range 2 { // the second time it remembers the names of the first
		status, out, errs := call(t, "-target", "127.0.0.1:"+strconv.Itoa(int(port)), "-settle", "0")
		require.Equal(t, allGood, status, "%s%s", out, errs)
		require.Contains(t, out, "it needs a daemon that remembers no name")
		require.Contains(t, errs, "it listens, answers a lookup, and closes then")
	}
}

// TestLine: a program is started by a line of its own, which says where the port belongs.
func TestLine(t *testing.T) {
	line := "sh -c 'exec \"$0\" -port {port}' " + otptest.Epmd(t)
	status, out, errs := call(t, "-exec", "a shell's="+line, "-area", "names", "-area", "program")
	require.Equal(t, allGood, status, "%s%s", out, errs)
	require.Contains(t, out, "a shell's")
	require.Contains(t, out, "without commands: not possible with this target")

	for want, line := range map[string]string{"there is no program nobody-has-it": "nobody-has-it {port}", "quotes": "sh 'x", "no program is named": " "} {
		status, _, errs := call(t, "-exec", line)
		require.Equal(t, cannotRun, status)
		require.Contains(t, errs, want)
	}
}

// TestNeverListens: there is a report soon, and it names one cause.
func TestNeverListens(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	status, out, errs := call(t, "-exec", "sleep 600 {port}")
	require.Equal(t, somethings, status)
	require.Less(t, time.Since(begun), testbed.Patience+10*time.Second)
	require.Contains(t, errs, "0 of ", "it tells how far it is without a terminal, too")
	require.Contains(t, out, "it cannot be asked anything")
	require.Contains(t, out, "for the same cause")
}

// TestInterrupted: there is a report after an interrupt and when the time is over, too, and it
// says that not all was asked.
func TestInterrupted(t *testing.T) {
	target := epmdtest.NewServer(t).Addr
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	var out bytes.Buffer
	status := run(ctx, []string{"epmd-conformance", "-all", "-target", target}, &out, io.Discard)
	require.Equal(t, cannotRun, status)
	require.Contains(t, out.String(), "not all was asked: it was interrupted")
	require.Contains(t, out.String(), "NOT ALL ASKED")

	status, text, _ := call(t, "-all", "-target", target, "-for", "1ms")
	require.Equal(t, cannotRun, status, text)
	require.Contains(t, text, "the time was over")

	status, text, _ = call(t, "-target", target, "-area", "program")
	require.Equal(t, cannotRun, status)
	require.Contains(t, text, "nothing was asked")
}

// TestChoice: -skip and -without leave scenarios out, and -extension adds some.
func TestChoice(t *testing.T) {
	status, out, _ := call(t, "list", "-run", "^names-", "-skip", "empty")
	require.Equal(t, allGood, status)
	require.NotContains(t, out, "names-empty ")
	require.Contains(t, out, "names-")

	theirs := otptest.Epmd(t)
	status, out, errs := call(t, "-exec", theirs, "-area", "stop", "-without", "stop", "-area", "names")
	require.Equal(t, allGood, status, "%s%s", out, errs)
	require.Contains(t, out, "without stop: as it was said")
	status, _, errs = call(t, "-exec", theirs, "-without", "everything")
	require.Equal(t, cannotRun, status)
	require.Contains(t, errs, "there is no such feature; there are commands, ")

	status, out, errs = call(t, "-exec", theirs, "-area", "grace", "-area", "names", "-extension")
	require.Equal(t, allGood, status, "%s%s", out, errs)
	require.Contains(t, out, "without extension: it does not start with -multi_transport")
}
