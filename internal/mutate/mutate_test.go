package main

import (
	"errors"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestListFitsTheCode: each old text stands in its file exactly once, what it
// becomes is something else, and the mutant is still Go.
func TestListFitsTheCode(t *testing.T) {
	for _, m := range all() {
		src, err := os.ReadFile(filepath.Join("../..", m.file))
		require.NoError(t, err, m.id)
		mutant, err := m.apply(string(src))
		require.NoError(t, err)
		require.NotEqual(t, string(src), mutant, m.id)
		_, err = parser.ParseFile(token.NewFileSet(), m.file, mutant, parser.SkipObjectResolution)
		require.NoError(t, err, m.id)
	}
}

// TestListIsWellFormed: each mutation says what it is, once, and which tests can
// see it is known.
func TestListIsWellFormed(t *testing.T) {
	id := regexp.MustCompile(`^[a-z]+/[a-z0-9]+(-[a-z0-9]+)*$`)
	kinds := []kind{boundary, check, layout, state, order, counter, cache, event, locality, answer, clock}
	ids, changes := map[string]bool{}, map[string]string{}
	for _, m := range all() {
		require.Regexp(t, id, m.id)
		require.False(t, ids[m.id], "%s occurs twice", m.id)
		ids[m.id] = true
		key := m.file + "\x00" + m.old + "\x00" + m.new
		require.Empty(t, changes[key], "%s is the same change", m.id)
		changes[key] = m.id
		require.Contains(t, kinds, m.kind, m.id)
		require.NotEmpty(t, m.breaks, m.id)
		require.NotRegexp(t, `[.|]$|\|`, m.breaks, m.id)
		require.Contains(t, visible, m.pkg(), m.id)
		require.Equal(t, filepath.Base(m.pkg()), strings.SplitN(m.id, "/", 2)[0])
	}
	require.GreaterOrEqual(t, len(ids), 60)
}

func TestApply(t *testing.T) {
	m := mutation{change{id: "x", old: "a", new: "b"}, "f"}
	got, err := m.apply("1a1")
	require.NoError(t, err)
	require.Equal(t, "1b1", got)
	_, err = m.apply("aa")
	require.ErrorContains(t, err, "x: the old text occurs 2 times in f")
	_, err = m.apply("")
	require.ErrorContains(t, err, "occurs 0 times")
	m.new = "a"
	_, err = m.apply("a")
	require.Error(t, err)
}

func TestInOrder(t *testing.T) {
	m := mutation{file: "registry/x.go"}
	require.Equal(t, []string{"./registry", "./epmd/session"}, inOrder(m, nil))
	asked := []string{"./epmd", "./wire", "./registry"}
	require.Equal(t, []string{"./registry", "./wire", "./epmd"}, inOrder(m, asked))
	require.Equal(t, []string{"./epmd"}, inOrder(m, asked[:1]))
	require.Equal(t, "./epmd", asked[0], "the list that was asked for stays as it is")
}

func TestReadFailure(t *testing.T) {
	tests := map[string]struct {
		out  string
		want failure
		err  string
	}{
		"failed": {
			`{"Action":"run","Test":"TestA"}{"Action":"run","Test":"TestA/b"}` +
				`{"Action":"fail","Test":"TestA/b"}{"Action":"fail","Test":"TestA"}{"Action":"fail"}`,
			failure{"./x", "TestA", ""}, "",
		},
		"panic": {
			`{"Action":"run","Test":"TestA"}{"Output":"panic: oh\n"}{"Action":"fail","Test":"TestA"}{"Action":"fail"}`,
			failure{"./x", "TestA", "panic"}, "",
		},
		"no end": {
			`{"Action":"run","Test":"TestA"}{"Action":"run","Test":"TestB"}{"Output":"panic: test timed out after 2m0s\n"}{"Action":"fail"}`,
			failure{"./x", "TestB", "no end"}, "",
		},
		"fatal": {
			`{"Action":"run","Test":"TestA"}{"Output":"x\nfatal error: out of memory\n"}{"Action":"fail"}`,
			failure{"./x", "TestA", "fatal error"}, "",
		},
		"tests that do not compile": {
			`{"Action":"build-output","Output":"undefined: x"}{"Action":"fail","FailedBuild":"x"}`,
			failure{Package: "./x"}, "do not compile: undefined: x",
		},
		"no test":  {`{"Action":"fail"}`, failure{Package: "./x"}, "before the first one"},
		"not JSON": {`FAIL`, failure{Package: "./x"}, "something else than JSON"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readFailure("./x", []byte(tt.out), nil)
			require.Equal(t, tt.want, got)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
		})
	}
}

// some is n outcomes, the first few of which are killed.
func some(n, killed int) []outcome {
	outcomes := make([]outcome, n)
	for i := range killed {
		outcomes[i].by.Test = "TestX"
	}
	return outcomes
}

// TestJudge: 95 % are enough, unless there is an error in the list.
func TestJudge(t *testing.T) {
	require.NoError(t, judge(some(20, 20)))
	require.NoError(t, judge(some(20, 19)))
	require.ErrorContains(t, judge(some(20, 18)), "18 of 20 mutants killed (90.0 %), must be 95 %")
	broken := some(100, 100)
	broken[7].err = errors.New("it does not compile")
	require.ErrorContains(t, judge(broken), "it does not compile")
}

func TestReport(t *testing.T) {
	outcomes := some(2, 1)
	outcomes[0].mutation = mutation{change{id: "wire/a", kind: check, breaks: "a rule"}, "wire/f.go"}
	outcomes[0].by = failure{"./registry", "TestX", "panic"}
	outcomes[1].mutation = mutation{change{id: "wire/b", kind: state, breaks: "another"}, "wire/g.go"}
	var b strings.Builder
	require.NoError(t, report(&b, outcomes))
	for _, line := range []string{
		"1 of 2 mutants killed (50.0 %).", "| `wire` | 2 | 1 |", "Survived: `wire/b`: another.",
		"| a | check | wire/f.go | a rule | `TestX` of registry, panic |",
		"| b | state | wire/g.go | another | **SURVIVED** |",
	} {
		require.Contains(t, b.String(), line+"\n")
	}
	b.Reset()
	require.NoError(t, reportJSON(&b, outcomes))
	require.Contains(t, b.String(), `"status": "survived"`)
	require.Contains(t, b.String(), `"test": "TestX"`)
}
