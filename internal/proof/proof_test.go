package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inFolder runs a test in an empty folder, for the logs.
func inFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll(folder, 0o777))
}

// play runs stages and gives the results by name, and all that was told.
func play(t *testing.T, ctx context.Context, stages ...stage) (map[string]*result, string) {
	t.Helper()
	inFolder(t)
	var told bytes.Buffer
	results := runAll(ctx, stages, &progress{w: &told, every: time.Hour})
	byName := make(map[string]*result)
	for _, r := range results {
		byName[r.name] = r
	}
	return byName, told.String() + summary(results, nil)
}

func TestStages(t *testing.T) {
	got, told := play(t, t.Context(),
		stage{name: "good", command: shell("echo some text; echo 7 passed, 0 failed, 2 skipped")},
		stage{name: "plain", command: shell("true")},
		stage{name: "bad", command: shell("echo why it fails; exit 3")},
		stage{name: "behind", command: shell("true"), after: []string{"bad"}},
		stage{name: "late", command: shell("sleep 60"), bound: 100 * time.Millisecond},
		stage{name: "empty", command: shell("true"), tests: true},
	)
	require.False(t, got["good"].failed())
	require.Equal(t, counts{7, 0, 2}, got["good"].counted)
	require.Equal(t, counts{1, 0, 0}, got["plain"].counted)
	require.ErrorContains(t, got["bad"].err, "exit status 3")
	require.Equal(t, counts{0, 1, 0}, got["bad"].counted)
	require.ErrorIs(t, got["behind"].err, errNotRun)
	require.ErrorContains(t, got["late"].err, "not ended after 100ms")
	require.Less(t, got["late"].wall, 30*time.Second)
	require.ErrorContains(t, got["empty"].err, "no test passed")
	for _, text := range []string{"why it fails", "good: passed", "bad: FAILED", "bin/proof/bad.log", "\n8 passed, 3 failed, 2 skipped\n"} {
		require.Contains(t, told, text)
	}
	log, err := os.ReadFile("bin/proof/good.log")
	require.NoError(t, err)
	require.Contains(t, string(log), "some text")
}

// TestLanes: two stages that wait run beside one that computes, and two that compute run
// side by side once none waits.
func TestLanes(t *testing.T) {
	// A stage that meets others ends once all of them have begun.
	meet := func(name string, l lane, others string) stage {
		line := "touch " + name + "; for f in " + others + "; do until [ -e $f ]; do sleep 0.01; done; done"
		return stage{name: name, lane: l, command: shell(line), bound: 20 * time.Second}
	}
	alone := func(name string) stage {
		return stage{name: name, command: shell("touch " + name + " && mkdir alone && sleep 0.1 && rmdir alone")}
	}
	got, told := play(t, t.Context(), meet("a", computes, "b c"), meet("b", waits, "a c"), meet("c", waits, "a b d e"),
		alone("d"), alone("e"), meet("f", computes, "g"), meet("g", computes, "f"))
	for _, r := range got {
		require.NoError(t, r.err, told)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	got, told := play(t, ctx,
		stage{name: "first", command: shell("sleep 60 & echo $! >child; wait")},
		stage{name: "second", command: shell("true"), after: []string{"first"}})
	require.ErrorIs(t, got["first"].err, context.Canceled)
	require.ErrorIs(t, got["second"].err, errNotRun)
	require.Contains(t, told, "interrupted")
}

// events are what `go test -json` writes.
const events = `{"Action":"start","Package":"github.com/goepmd/goepmd/wire"}
not an event
{"Action":"run","Package":"github.com/goepmd/goepmd/wire","Test":"TestA"}
{"Action":"output","Package":"github.com/goepmd/goepmd/wire","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"github.com/goepmd/goepmd/wire","Test":"TestA/one","Elapsed":0}
{"Action":"output","Package":"github.com/goepmd/goepmd/wire","Test":"TestA/two","Output":"    a_test.go:7: what is wrong\n"}
{"Action":"fail","Package":"github.com/goepmd/goepmd/wire","Test":"TestA/two","Elapsed":0}
{"Action":"fail","Package":"github.com/goepmd/goepmd/wire","Test":"TestA","Elapsed":0}
{"Action":"pass","Package":"github.com/goepmd/goepmd/wire","Test":"TestB","Elapsed":0}
{"Action":"output","Package":"github.com/goepmd/goepmd/wire","Test":"TestC","Output":"    c_test.go:9: SKIPPED: part of ` + "`make proof`" + `, which sets X\n"}
{"Action":"output","Package":"github.com/goepmd/goepmd/wire","Test":"TestC","Output":"--- SKIP: TestC (0.00s)\n"}
{"Action":"skip","Package":"github.com/goepmd/goepmd/wire","Test":"TestC","Elapsed":0}
{"Action":"output","Package":"github.com/goepmd/goepmd/wire","Output":"coverage: 91.5% of statements\n"}
{"Action":"fail","Package":"github.com/goepmd/goepmd/wire","Elapsed":1}
{"ImportPath":"github.com/goepmd/goepmd/epmd","Action":"build-output","Output":"epmd/x.go:1: does not compile\n"}
{"ImportPath":"github.com/goepmd/goepmd/epmd","Action":"build-fail"}
{"Action":"start","Package":"github.com/goepmd/goepmd/epmd"}
{"Action":"fail","Package":"github.com/goepmd/goepmd/epmd","Elapsed":0}
{"Action":"start","Package":"github.com/goepmd/goepmd/fuzz"}
{"Action":"output","Package":"github.com/goepmd/goepmd/fuzz","Output":"panic: out of order\n"}
{"Action":"fail","Package":"github.com/goepmd/goepmd/fuzz","Elapsed":0}
`

// tallied takes events in pieces of n bytes.
func tallied(t *testing.T, text string, n int) (*tally, string) {
	t.Helper()
	var log bytes.Buffer
	c := newTally()
	c.log = &log
	for piece := range slices.Chunk([]byte(text), n) {
		_, err := c.Write(piece)
		require.NoError(t, err)
	}
	return c, log.String()
}

func TestEvents(t *testing.T) {
	for _, n := range []int{1, 100, 1 << 20} {
		c, log := tallied(t, events, n)
		require.Equal(t, []test{{module + "wire", "TestA/one"}, {module + "wire", "TestB"}}, c.passed)
		require.Equal(t, []test{{module + "wire", "TestA/two"}, {module + "wire", "TestA"}, {module + "epmd", ""}, {module + "fuzz", ""}}, c.failed)
		require.Equal(t, map[test]string{{module + "wire", "TestC"}: "part of `make proof`, which sets X"}, c.skipped)
		require.Equal(t, map[string]float64{"wire": 91.5}, c.covered)
		require.Empty(t, c.running)
		for _, text := range []string{"FAILED wire TestA/two\n    a_test.go:7: what is wrong\n", "epmd/x.go:1: does not compile", "panic: out of order"} {
			require.Contains(t, c.failures(), text)
		}
		require.NotContains(t, c.failures(), "FAILED wire TestA\n")
		require.Contains(t, log, "not an event\n=== RUN   TestA\n")
	}
}

// TestGoTests: the events of a real run are read, and what the stage asks for is held.
func TestGoTests(t *testing.T) {
	const pass = `printf '%s\n' '{"Action":"pass","Package":"` + module + `wire","Test":"TestB"}' ` +
		`'{"Action":"output","Package":"` + module + `wire","Output":"coverage: 94.9% of statements\n"}'`
	got, told := play(t, t.Context(),
		stage{name: "enough", command: shell(pass), tests: true, cover: map[string]float64{"wire": 94}},
		stage{name: "little", command: shell(pass), tests: true, cover: map[string]float64{"wire": 95}},
		stage{name: "none", command: shell(pass), tests: true, cover: map[string]float64{"registry": 1}})
	require.NoError(t, got["enough"].err)
	require.ErrorContains(t, got["little"].err, "cover 94.9 % of it, and must cover 95 %")
	require.ErrorContains(t, got["none"].err, "registry")
	require.Contains(t, told, "covered: wire 94.9 %")
}

// TestNothingIsLost: what one plan leaves to the other is noticed when that does not play it.
func TestNothingIsLost(t *testing.T) {
	inFolder(t)
	c, _ := tallied(t, events, 1000)
	lost, err := unplayed("proof", nil, true)
	require.NoError(t, err)
	require.Empty(t, lost, "there is no list yet")
	_, err = unplayed("test", []*result{{tally: c}, {}}, true)
	require.NoError(t, err)
	left := test{module + "wire", "TestC"}

	lost, err = unplayed("proof", []*result{{tally: newTally()}, {}}, true)
	require.NoError(t, err)
	require.Equal(t, []test{left}, lost)
	require.Contains(t, summary(nil, lost), "LOST: wire TestC")
	require.Contains(t, summary(nil, lost), "\n0 passed, 1 failed, 0 skipped\n")

	lost, err = unplayed("proof", []*result{{tally: c}}, true)
	require.NoError(t, err)
	require.Equal(t, []test{left}, lost, "it is skipped there too")

	lost, err = unplayed("proof", nil, false)
	require.NoError(t, err)
	require.Empty(t, lost, "some stages alone prove nothing")
	lost, err = unplayed("proof", []*result{{err: errNotRun}}, true)
	require.NoError(t, err)
	require.Empty(t, lost, "nor does a run that was interrupted")

	c, _ = tallied(t, `{"Action":"pass","Package":"`+module+`wire","Test":"TestC"}`+"\n", 1000)
	lost, err = unplayed("proof", []*result{{tally: c}}, true)
	require.NoError(t, err)
	require.Empty(t, lost)
}

// TestPlans: each stage has a name of its own, stands after those that it needs, and its
// script exists.
func TestPlans(t *testing.T) {
	t.Chdir("../..")
	for _, p := range plans {
		stages, err := p.stages()
		require.NoError(t, err)
		seen := make(map[string]bool)
		for _, s := range stages {
			require.False(t, seen[s.name], "%s: %s stands there twice", p.name, s.name)
			for _, name := range s.after {
				require.True(t, seen[name], "%s: %s stands before %s", p.name, s.name, name)
			}
			seen[s.name] = true
			require.NotEmpty(t, s.does)
			require.Equal(t, s.tests, slices.Contains(s.command, "-json"), s.name)
			require.NotContains(t, strings.Join(s.command, " "), " go test -count", "%s: what its tests did would not be seen", s.name)
			for _, word := range strings.Fields(strings.Join(s.command, " ")) {
				if strings.HasPrefix(word, "scripts/") {
					require.FileExists(t, word, s.name)
				}
			}
		}
		require.NoError(t, describe(io.Discard, stages))
	}
}

// TestEveryPackageIsTested: make test leaves out no package.
func TestEveryPackageIsTested(t *testing.T) {
	t.Chdir("../..")
	all, err := packages(func(string) bool { return true })
	require.NoError(t, err)
	stages, err := daily()
	require.NoError(t, err)
	for _, pkg := range all {
		times := 0
		for _, s := range stages {
			for _, word := range s.command {
				if s.tests && (word == pkg || strings.HasSuffix(word, "/...") && strings.HasPrefix(pkg+"/", strings.TrimSuffix(word, "..."))) {
					times++
				}
			}
		}
		require.Equal(t, 1, times, "%s is tested %d times", pkg, times)
	}
}

func TestChoose(t *testing.T) {
	stages := []stage{{name: "a"}, {name: "b", after: []string{"a"}}, {name: "c"}, {name: "d", after: []string{"b"}}}
	names := func(only string) string {
		chosen, err := choose(stages, only)
		require.NoError(t, err)
		var all []string
		for _, s := range chosen {
			all = append(all, s.name)
		}
		return strings.Join(all, " ")
	}
	require.Equal(t, "a b c d", names(""))
	require.Equal(t, "a b d", names("d"))
	require.Equal(t, "c", names("^c$"))
	_, err := choose(stages, "x")
	require.ErrorContains(t, err, "-list")
	_, err = choose(stages, "(")
	require.Error(t, err)
}

func TestUsage(t *testing.T) {
	inFolder(t)
	require.ErrorContains(t, run(t.Context(), nil, io.Discard), "test, proof, nightly")
	require.ErrorContains(t, run(t.Context(), []string{"all"}, io.Discard), "test, proof, nightly")
}
