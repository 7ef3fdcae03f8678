package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shop copies the module that the tests mutate, so that a test may edit it.
func shop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/shop")))
	return dir
}

// onShop mutates the module in a folder as the command does, and gives its report and
// its progress.
func onShop(t *testing.T, dir string, args ...string) (report, string, error) {
	t.Helper()
	c, err := parseFlags(append([]string{"-json", "-timeout", "2s", "-equivalent", "equivalent.txt"}, args...), io.Discard)
	require.NoError(t, err)
	var out, progress bytes.Buffer
	err = mutate(t.Context(), c, dir, &out, &progress)
	var r report
	if out.Len() > 0 {
		require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	}
	return r, progress.String(), err
}

// statuses is what became of the mutants, by their change.
func statuses(r report) map[string]status {
	m := map[string]status{}
	for _, x := range r.Mutants {
		m[x.Operator+": "+x.Old+" → "+x.New] = x.Status
	}
	return m
}

// TestShop: each mutant of the module in testdata becomes what can be read off its
// tests, and the report counts them.
func TestShop(t *testing.T) {
	t.Parallel()
	r, progress, err := onShop(t, "testdata/shop", "./price")
	require.ErrorContains(t, err, "price: the tests notice")
	got := statuses(r)
	for change, want := range map[string]status{
		"never: sum > int(limit) → false":                killed,
		"boundary: sum > int(limit) → sum >= int(limit)": survived,
		"number: 255 → 256":                              notCompiled, // at the level of the package
		"number: 255 → 254":                              survived,
		`text: "too high" → ""`:                          survived,
		"statement: n /= 2 → ":                           timedOut,
		"never: sum == 0 → false":                        notReached,
		`text: "hello" → ""`:                             survived,
		"arithmetic: n + 1 → n - 1":                      killed,      // in a generic function
		"statement: s.things = append(s.things, t) → ":   killed,      // in a generic method
		"field: things: made → ":                         notCompiled, // in the bundle
		"arithmetic: n * n → n / n":                      killed,      // one by one
		`text: "shelf" → ""`:                             killed,
	} {
		require.Equal(t, want, got[change], change)
	}
	require.Contains(t, progress, "price is judged by price: quickly within 2 s, slowly by [TestShelf], alone by [TestSquare]")
	require.Contains(t, progress, "statement `n /= 2` → ``: timed out by TestHalves no end in price [")
	sum := r.Packages[0]
	require.Equal(t, "price", sum.Package)
	require.Equal(t, sum.Mutants, sum.Killed+sum.TimedOut+sum.NotReached+sum.Survived)
	require.Len(t, r.Mutants, sum.Mutants+sum.NotCompiled+sum.Equivalent)
	require.Equal(t, []int{1, 3, 2, 1}, []int{sum.TimedOut, sum.NotReached, sum.NotCompiled, sum.Equivalent})
	require.Equal(t, []string{"price/Total/never/00000000 is gone: it was there once"}, r.Stale)
}

// TestJudges: the packages that -tests names judge, and a reason for what they notice is
// stale.
func TestJudges(t *testing.T) {
	t.Parallel()
	dir := shop(t)
	reasons := "price/Greeting/text/7a8093df nobody greets\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "equivalent.txt"), []byte(reasons), 0o600))
	r, progress, err := onShop(t, dir, "-tests", "./till,./price", "-run", "Greeting", "./price")
	require.NoError(t, err)
	require.Less(t, strings.Index(progress, "price is judged by price"), strings.Index(progress, "price is judged by till"))
	require.Len(t, r.Mutants, 1)
	require.Equal(t, failure{Package: "till", Test: "TestSign"}, r.Mutants[0].By)
	require.Equal(t, []string{"price/Greeting/text/7a8093df is killed: nobody greets"}, r.Stale)
}

// TestResume: what stands in the file is not tried again, a line that was cut off is,
// and so is everything once a test has changed; with -keep only what was not noticed.
func TestResume(t *testing.T) {
	t.Parallel()
	dir := shop(t)
	file := filepath.Join(dir, "mutants.jsonl")
	tried := regexp.MustCompile(`(?m)^\d+ of \d+ price/.*$`)
	do := func(more ...string) (report, []string) {
		r, progress, err := onShop(t, dir, append(more, "-resume", file, "-run", "Total", "./price")...)
		require.ErrorContains(t, err, "must be 95 %")
		return r, tried.FindAllString(progress, -1)
	}
	first, lines := do()
	require.Len(t, lines, 10)
	again, lines := do()
	require.Empty(t, lines)
	require.Equal(t, first, again)

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text[:len(text)-5], 0o600))
	again, lines = do()
	require.Len(t, lines, 1)
	require.Contains(t, lines[0], "10 of 10 ")
	require.Equal(t, first, again)

	more := "package price\n\nimport \"testing\"\n\nfunc TestMore(t *testing.T) { if n, _ := Total(255); n != 255 { t.Fatal(n) } }\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "price", "more_test.go"), []byte(more), 0o600))
	r, progress, err := onShop(t, dir, "-keep", "-resume", file, "-run", "Total", "./price")
	require.NoError(t, err)
	lines = tried.FindAllString(progress, -1)
	require.Len(t, lines, 1)
	require.Contains(t, lines[0], "boundary `sum > int(limit)` → `sum >= int(limit)`: killed by TestMore")
	require.Equal(t, 10, r.Packages[0].Killed)
	_, progress, err = onShop(t, dir, "-for", "1ns", "-resume", file, "-run", "Total", "./price")
	require.ErrorContains(t, err, "9 mutants are left")
	require.Contains(t, progress, "1 of 10 are known already")
}

// TestSample: the same seed chooses the same mutants, another one others, and never more
// than were asked for.
func TestSample(t *testing.T) {
	t.Parallel()
	list := func(args ...string) string {
		c, err := parseFlags(append(args, "-list", "./..."), io.Discard)
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, mutate(t.Context(), c, "testdata/shop", &out, io.Discard))
		return out.String()
	}
	seven := list("-sample", "7", "-seed", "3")
	require.Equal(t, 7, strings.Count(seven, "\n"))
	require.Equal(t, seven, list("-sample", "7", "-seed", "3"))
	require.NotEqual(t, seven, list("-sample", "7", "-seed", "4"))
	require.Equal(t, list(), list("-sample", "1000"))
	require.Contains(t, list("-run", "till.go:7$"), "till/Sign/text/")
}

// TestTreeMustPass: where tests fail without a mutant, there is nothing to learn.
func TestTreeMustPass(t *testing.T) {
	t.Parallel()
	dir := shop(t)
	wrong := "package till\n\nimport \"testing\"\n\nfunc TestWrong(t *testing.T) { t.Fatal(\"oh\") }\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "till", "wrong_test.go"), []byte(wrong), 0o600))
	_, _, err := onShop(t, dir, "./till")
	require.ErrorContains(t, err, "without a mutant every test must pass, but not TestWrong in till")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "till", "wrong_test.go"), []byte("package till\n\nvar _ = oh\n"), 0o600))
	_, _, err = onShop(t, dir, "./till")
	require.ErrorContains(t, err, "undefined: oh")
	_, _, err = onShop(t, dir, "-run", "nothing like it", "./till")
	require.ErrorContains(t, err, "no mutant matches")
}

func TestJudgesInOrder(t *testing.T) {
	require.Equal(t, []string{"registry", "registry/state", "epmd/session"}, judges("registry", nil))
	require.Equal(t, []string{"doctor"}, judges("doctor", nil))
	asked := []string{"epmd", "wire", "registry"}
	require.Equal(t, []string{"registry", "epmd", "wire"}, judges("registry", asked))
	require.Equal(t, []string{"epmd"}, judges("registry", asked[:1]))
	require.Equal(t, "epmd", asked[0], "the list that was asked for stays as it is")
}

func TestReadFailure(t *testing.T) {
	tests := map[string]struct {
		out  string
		want failure
	}{
		"failed": {"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n--- FAIL: TestC (0.00s)\n", failure{"x", "TestA", ""}},
		"panic":  {"--- FAIL: TestA (0.00s)\npanic: oh\n", failure{"x", "TestA", crash}},
		"no end": {"--- FAIL: TestA (0.00s)\npanic: test timed out after 2s\n\trunning tests:\n\t\tTestB/c (2s)\n", failure{"x", "TestB", noEnd}},
		"fatal":  {"fatal error: out of memory\n\nx.TestB(0x1)\n", failure{"x", "TestB", crash}},
		"silent": {"", failure{Package: "x"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, readFailure("x", tt.out)) })
	}
}

// TestEnough: 95 % of each package are enough, if none is left.
func TestEnough(t *testing.T) {
	some := func(pkg string, n, noticed int) (results []result) {
		for i := range n {
			s := survived
			if i < noticed {
				s = killed
			}
			id := fmt.Sprintf("%s/F/never/%d", pkg, i)
			results = append(results, result{mutant{ID: id, Package: pkg}, outcome{ID: id, Status: s}})
		}
		return results
	}
	good := some("a", 20, 19)
	require.NoError(t, newReport(good, nil, nil).judge())
	both := newReport(append(good, some("b", 20, 18)...), nil, nil)
	require.EqualError(t, both.judge(), "b: the tests notice 90.0 % of the mutants, must be 95 %")
	reasons := map[string]string{"b/F/never/19": "no way to see it"}
	require.ErrorContains(t, newReport(some("b", 20, 18), reasons, nil).judge(), "94.7 %")
	both = newReport(good, nil, nil)
	both.Left = 3
	require.ErrorContains(t, both.judge(), "3 mutants are left")
}

func TestMarkdown(t *testing.T) {
	x := func(line int, s status) result {
		id := fmt.Sprint("a/F/never/", line)
		return result{mutant{ID: id, Package: "a", File: "a/f.go", Line: line, Operator: "never", Old: "x", New: "false"}, outcome{ID: id, Status: s}}
	}
	results := []result{x(1, killed), x(2, survived), x(3, notReached), x(4, survived), x(5, notCompiled)}
	reasons := map[string]string{"a/F/never/4": "x is never seen"}
	var b strings.Builder
	require.NoError(t, newReport(results, reasons, map[string]bool{"a/F/never/4": true}).markdown(&b))
	for _, line := range []string{
		"| `a` | 3 | 1 | 0 | 1 | 1 | 33.3 % | 1 | 1 |",
		"- a/f.go:2 never `x` → `false`: a/F/never/2",
		"- a/f.go:3 never `x` → `false`: not reached, a/F/never/3",
		"- a/f.go:4 never `x` → `false`: x is never seen",
	} {
		require.Contains(t, b.String(), line+"\n")
	}
	require.NotContains(t, b.String(), "take out")
	require.NotContains(t, b.String(), "f.go:5")
}

func TestReadReasons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "equivalent.txt")
	none, err := readReasons(path)
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, os.WriteFile(path, []byte("# for people\n\na/b  is so\n"), 0o600))
	one, err := readReasons(path)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a/b": "is so"}, one)
	for _, wrong := range []string{"a/b\n", "a/b x\na/b y\n"} {
		require.NoError(t, os.WriteFile(path, []byte(wrong), 0o600))
		_, err = readReasons(path)
		require.ErrorContains(t, err, "a line is an id, once, and the reason")
	}
}

func TestSlowTests(t *testing.T) {
	out := "=== RUN   TestA\n    --- PASS: TestA/x (3.00s)\n--- PASS: TestA (3.00s)\n--- PASS: TestB (0.09s)\n--- PASS: TestC (0.10s)\nPASS\n"
	require.Equal(t, []string{"TestA", "TestC"}, slowTests(out))
}

// TestLimit: tests have eight times what they took, or what was asked for.
func TestLimit(t *testing.T) {
	c := court{}
	require.Equal(t, 8*time.Second, c.limit(time.Millisecond))
	require.Equal(t, 16*time.Second, c.limit(2*time.Second))
	c.timeout = time.Minute
	require.Equal(t, time.Minute, c.limit(2*time.Second))
}

func TestFlags(t *testing.T) {
	for _, wrong := range []string{"", "-jobs 0 ./x", "-sample -1 ./x", "-timeout -1s ./x", "-run ( ./x", "-nonsense ./x"} {
		_, err := parseFlags(strings.Fields(wrong), io.Discard)
		require.Error(t, err, wrong)
	}
}
