package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/bench"
)

// TestMain: the program starts itself once more, in a network of its own and as a daemon,
// and then this test is the program.
func TestMain(m *testing.M) {
	if inOwnNetwork() || slices.Contains(os.Args, "serve") {
		main()
	}
	os.Exit(m.Run())
}

// call runs the program, and gives its status and what it wrote.
func call(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), append([]string{"epmd-bench"}, args...), &o, &e)
	return status, o.String(), e.String()
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"name two programs":       {"-a", "x"},
		`no engine "fast"`:        {"-a", "@fast", "-b", "y"},
		"is no program":           {"-a", "x", "-b", "=y"},
		`no command "what"`:       {"-a", "x", "-b", "y", "what"},
		`there is no mode "fast"`: {"-a", "x", "-b", "y", "-mode", "lookup,fast"},
		`"ten" is no number`:      {"-a", "x", "-b", "y", "-nodes", "ten"},
		"0 nodes":                 {"-a", "x", "-b", "y", "-nodes", "10,0"},
		"0 pairs":                 {"-a", "x", "-b", "y", "-pairs", "0"},
		"a number of seconds":     {"-a", "x", "-b", "y", "-seconds", "NaN"},
		"99 clients":              {"-a", "x", "-b", "y", "-clients", "99"},
		"give one":                {"-a", "x", "-b", "y", "-json", "-markdown"},
		"did you mean -pairs?":    {"-a", "x", "-b", "y", "-piars", "1"},
		"whole number":            {"-a", "x", "-b", "y", "-pairs", "few"},
		"does not start":          {"-a", "/nonexistent/x", "-b", "y", "-here"},
	} {
		if runtime.GOOS != "linux" && want == "does not start" {
			continue
		}
		status, _, errs := call(t, args...)
		require.Equal(t, cannotRun, status, "%q", args)
		require.Contains(t, errs, want, "%q", args)
		require.NotRegexp(t, `strconv|syntax|pars(e|ing)|lookup \S+:|dial|int|context`, errs, "words of Go")
	}
}

// TestRun: the whole program, in a network of its own where that can be had.
func TestRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: it measures on Linux only")
	}
	dir := t.TempDir()
	ours, plot := filepath.Join(dir, "epmd"), filepath.Join(dir, "plot.svg")
	build, err := exec.Command("go", "build", "-o", ours, "../epmd").CombinedOutput()
	require.NoError(t, err, "%s", build)
	args := []string{"-a", "ours=" + ours, "-b", "again=" + ours, "-mode", "lookup,idle", "-nodes", "10", "-pairs", "1", "-seconds", "0.05", "-clients", "4"}

	status, out, errs := call(t, append(args, "-json", "-svg", plot)...)
	require.Equal(t, measured, status, errs)
	var rep bench.Report
	require.NoError(t, json.Unmarshal([]byte(out), &rep))
	require.Len(t, rep.Cells, 2)
	require.Positive(t, rep.Cells[0].Pairs[0].B.Load.Ops)
	require.Contains(t, errs, "lookup, 10 nodes, pair 1 of 1: medians so far: ")
	kept := filepath.Join(dir, "report.json")
	require.NoError(t, os.WriteFile(kept, []byte(out), 0o600))
	status, text, errs := call(t, "show", "-markdown", kept)
	require.Equal(t, measured, status, errs)
	require.Contains(t, text, "| lookup | 10 |")
	for want, args := range map[string][]string{
		"name one file": {"show"}, "no such file": {"show", "/nonexistent"}, "is no report that -json wrote": {"show", plot},
	} {
		status, _, errs = call(t, args...)
		require.Equal(t, cannotRun, status)
		require.Contains(t, errs, want)
	}
	b, err := os.ReadFile(plot)
	require.NoError(t, err)
	require.Contains(t, string(b), "</svg>")

	engines := append([]string{"-a", "@epoll", "-b", "goroutines=@portable"}, args[4:]...)
	status, out, errs = call(t, append(engines, "-json")...)
	require.Equal(t, measured, status, errs)
	require.NoError(t, json.Unmarshal([]byte(out), &rep))
	require.Equal(t, "epoll", rep.Plan.A.Name)
	require.Equal(t, "goroutines", rep.Plan.B.Name)
	require.Positive(t, rep.Cells[0].Pairs[0].A.Load.Ops)
	require.Positive(t, rep.Cells[0].Pairs[0].B.Load.Ops)

	status, out, errs = call(t, append(args, "-here", "-markdown")...)
	require.Equal(t, measured, status, errs)
	require.Contains(t, out, "in the network of the machine")
	require.Contains(t, out, "| lookup | 10 |")
	status, out, errs = call(t, append(args, "-here")...)
	require.Equal(t, measured, status, errs)
	require.Contains(t, out, "Server CPU per operation")
}
