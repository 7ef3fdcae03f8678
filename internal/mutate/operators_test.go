package main

import (
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/require"
)

// findIn lists the mutants of a file, each as "operator: old → new".
func findIn(t *testing.T, src string) (found []mutant, told []string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "f.go", src, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	found = find(fset, f, []byte(src), "p", "p/f.go")
	for _, m := range found {
		told = append(told, m.Operator+": "+m.Old+" → "+m.New)
	}
	return found, told
}

// TestOperators: what each operator makes of a body, and what it leaves alone.
func TestOperators(t *testing.T) {
	tests := map[string]struct {
		body string
		want []string
	}{
		"if": {"if f() {\n g(); h()\n}", []string{
			"always: f() → true", "never: f() → false", "statement: g() → ", "statement: h() → ",
		}},
		"the only statement of an if is what never leaves out": {"if f() {\n g()\n}", []string{
			"always: f() → true", "never: f() → false",
		}},
		"comparison that is a condition": {"if a < b {}", []string{
			"always: a < b → true", "never: a < b → false", "boundary: a < b → a <= b",
		}},
		"comparison that is not": {"c := a >= b", []string{
			"boundary: a >= b → a > b", "negate: a >= b → a < b",
		}},
		"logic": {"c := a && !b", []string{"logical: a && !b → a || !b", "not: !b → b"}},
		"for": {"for a != b {\n continue\n}", []string{
			"never: a != b → false", "loop: continue → break",
		}},
		"range": {"for range a {\n break\n}", []string{
			"loop: for range → no round of the loop", "loop: break → continue",
		}},
		"break of a switch in a loop goes on": {"for {\n switch {\n default: break\n}\n}", []string{
			"loop: break → continue",
		}},
		"continue in a switch does not become its break": {"for {\n switch {\n default: continue\n}\n}", []string{
			"loop: continue → ",
		}},
		"switch without a value": {"switch {\n case a: b()\n}", []string{
			"always: a → true", "never: a → false",
		}},
		"switch": {"switch a {\n case b: c()\n case d, e:\n}", []string{
			"case: case b: → ", "case: case d → ", "case: case e → ",
		}},
		"select":                   {"select {\n case <-a:\n default:\n}", []string{"case: default: → "}},
		"arithmetic":               {"a := b + c*d", []string{"arithmetic: b + c*d → b - c*d", "arithmetic: c*d → c/d"}},
		"texts have no difference": {`a := b + "c" + d`, []string{`text: "c" → ""`}},
		"bits":                     {"a := b << c & d", []string{"bits: b << c & d → b << c | d", "bits: b << c → b >> c"}},
		"assignment":               {"a += b", []string{"arithmetic: a += b → a -= b", "statement: a += b → "}},
		"assignments": {"a, b = nil, c", []string{
			"statement: a, b = nil, c → _, b = any(nil), c", "statement: a, b = nil, c → a, _ = nil, c",
		}},
		"nothing to assign": {"_, b = c()", []string{"statement: _, b = c() → _, _ = c()"}},
		"increment":         {"a++", []string{"increment: a++ → a--", "statement: a++ → "}},
		"defer, go, send": {"defer a()\ngo b()\nc <- d", []string{
			"statement: defer a() → ", "statement: go b() → ", "statement: c <- d → ",
		}},
		"numbers":  {"a := f(7, 'x', 0x10)", []string{"number: 7 → 8", "number: 'x' → 'x'+1", "number: 0x10 → 17"}},
		"booleans": {"a := f(true)", []string{"boolean: true → false"}},
		"extremes": {"a := max(b, c)", []string{"extreme: max → min"}},
		"endians":  {"a := binary.BigEndian.Uint16(b)", []string{"endian: BigEndian → LittleEndian"}},
		"slices": {"a := b[c:d]\ne := b[1:2]\nf := b[:c:c]", []string{
			"slice: b[c:d] → b[:d]", "slice: b[c:d] → b[c:]", "number: 1 → 2", "number: 2 → 3", "slice: b[:c:c] → b[:c]",
		}},
		"fields":            {"a := T{B: b, C: nil, D: 4}", []string{"field: B: b → ", "number: 4 → 5"}},
		"room":              {"a := make([]int, 0, 5)\nb := make(map[int]int, 6)\na = slices.Grow(a, 7)", []string{"number: 0 → 1"}},
		"return of nothing": {"return", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, told := findIn(t, "package p\n\nfunc F() {\n"+tt.body+"\n}\n")
			require.ElementsMatch(t, tt.want, told)
		})
	}
}

// TestResults: each result becomes the zero value of its type, unless it is that or a
// plain literal; a condition becomes true and false.
func TestResults(t *testing.T) {
	_, told := findIn(t, "package p\n\nfunc F() (a, b T, c bool, err error) {\n return x, T{}, y == z, nil\n}\n")
	require.ElementsMatch(t, []string{"result: return x → return zero", "always: y == z → true", "never: y == z → false"}, told)
	_, told = findIn(t, "package p\n\nfunc F() bool {\n g := func() int { return x }\n return false\n}\n")
	require.ElementsMatch(t, []string{"result: return x → return zero", "boolean: false → true"}, told)
	_, told = findIn(t, "package p\n\nfunc F() (int, error) { return g() }\n")
	require.Empty(t, told, "both results are those of a call")
	_, told = findIn(t, "package p\n\nfunc F() (r T, n int) {\n if a {\n return r, n\n }\n n = 1\n return r, n\n}\n")
	require.ElementsMatch(t, []string{
		"always: a → true", "never: a → false", "number: 1 → 2", "statement: n = 1 → ", "result: return n → return zero",
	}, told, "a result that nobody has set is zero")
}

// TestDeclarations: numbers of the package are changed up and down, and those of types
// and imports not at all.
func TestDeclarations(t *testing.T) {
	found, told := findIn(t, "package p\n\nimport \"x\"\n\nconst (\n A = 4\n B = 0\n)\n\ntype T struct{ a [5]byte `json:\"a\"` }\n")
	require.Equal(t, []string{"number: 4 → 5", "number: 4 → 3", "number: 0 → 1"}, told)
	require.Equal(t, "p/A", found[0].ID)
	require.Equal(t, "p/B", found[2].ID)
	require.Nil(t, found[0].in)
}

// TestApply: a mutant is the file with one change.
func TestApply(t *testing.T) {
	src := "package p\n\nfunc (t *T) F() error {\n f() // it\n return err\n}\n"
	found, _ := findIn(t, src)
	texts := []string{}
	for _, m := range found {
		require.Equal(t, "p/T.F", m.ID)
		texts = append(texts, string(m.apply([]byte(src))))
	}
	require.Equal(t, []string{
		"package p\n\nfunc (t *T) F() error {\n if false { f() } // it\n return err\n}\n",
		"package p\n\nfunc (t *T) F() error {\n f() // it\n return mutateZero[error](err)\n}\n" + zeroHelper,
	}, texts)
}

// ids names the mutants of a source.
func ids(t *testing.T, src string) []string {
	found, _ := findIn(t, src)
	s := source{files: map[string][]byte{"p/f.go": []byte(src)}, mutants: found}
	s.name()
	all := []string{}
	for _, m := range s.mutants {
		all = append(all, m.ID)
	}
	return all
}

// TestIDs: an id stays when other lines come and go, and changes with its own line. What
// is written twice in a function has two ids.
func TestIDs(t *testing.T) {
	before := ids(t, "package p\n\nfunc F() {\n a()\n b(1)\n}\n")
	after := ids(t, "package p\n\nvar x = 3\n\nfunc F() {\n z()\n b(1)\n a()\n}\n")
	require.Len(t, before, 3)
	require.Subset(t, after, before)
	require.Regexp(t, `^p/F/statement/[0-9a-f]{8}$`, before[0])
	require.NotSubset(t, ids(t, "package p\n\nfunc F() {\n a()\n b(2)\n}\n"), before)
	twice := ids(t, "package p\n\nfunc F() {\n a()\n a()\n}\n")
	require.NotEqual(t, twice[0], twice[1])
}
