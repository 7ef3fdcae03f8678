package main

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"slices"
	"strings"
)

// mutantEnv tells a bundle which of its mutants it is; without, it is none.
const mutantEnv = "MUTATE_MUTANT"

// A bundle is a package that holds many mutants at once, so that they are compiled
// together: beside each function stand its mutants, as functions of their own, and it
// begins with a switch that calls the one that mutantEnv asks for.
type bundle struct {
	files  map[string]string // the texts by path below the module
	copies []span            // where the mutants' functions stand
}

// span is the lines of a file that a mutant's function takes up.
type span struct {
	file        string
	first, last int
	mutant      int // its number
}

// function is what a bundle needs to know of a function declaration.
type function struct {
	start, nameAt, nameEnd, lbrace, end int // places in the file

	name     string
	edits    []edit // give each parameter a name
	receiver string // with a dot behind
	types    string // the type parameters in brackets
	args     string
	results  bool
}

// edit inserts text into a file, in place of what it replaces.
type edit struct {
	at, end int
	text    string
}

func newFunction(w *finder, d *ast.FuncDecl) *function {
	at := func(n ast.Node) int { return w.fset.Position(n.Pos()).Offset }
	f := &function{
		start: at(d), nameAt: at(d.Name), nameEnd: w.fset.Position(d.Name.End()).Offset,
		lbrace: at(d.Body), end: w.fset.Position(d.End()).Offset,
		name: d.Name.Name, results: d.Type.Results != nil,
	}
	n := 0
	named := func(list *ast.FieldList) (names []string) {
		for _, p := range list.List {
			_, variadic := p.Type.(*ast.Ellipsis)
			add := func(name string) {
				if variadic {
					name += "..."
				}
				names = append(names, name)
			}
			if len(p.Names) == 0 {
				n++
				name := fmt.Sprint("mutateP", n)
				f.edits = append(f.edits, edit{at(p.Type), at(p.Type), name + " "})
				add(name)
			}
			for _, id := range p.Names {
				name := id.Name
				if name == "_" {
					n++
					name = fmt.Sprint("mutateP", n)
					f.edits = append(f.edits, edit{at(id), at(id) + 1, name})
				}
				add(name)
			}
		}
		return names
	}
	if d.Recv != nil {
		f.receiver = named(d.Recv)[0] + "."
	}
	if d.Type.TypeParams != nil {
		types := []string{}
		for _, p := range d.Type.TypeParams.List {
			for _, id := range p.Names {
				types = append(types, id.Name)
			}
		}
		f.types = "[" + strings.Join(types, ", ") + "]"
	}
	f.args = strings.Join(named(d.Type.Params), ", ")
	return f
}

// newBundle bundles mutants in functions of one package, each with its number.
func newBundle(mutants map[int]mutant, sources map[string][]byte, packageName string) bundle {
	b := bundle{files: map[string]string{}}
	byFile := map[string]map[*function][]int{}
	dir := ""
	for _, i := range slices.Sorted(maps.Keys(mutants)) {
		m := mutants[i]
		dir = path.Dir(m.File)
		if byFile[m.File] == nil {
			byFile[m.File] = map[*function][]int{}
		}
		byFile[m.File][m.in] = append(byFile[m.File][m.in], i)
	}
	for file, functions := range byFile {
		b.addFile(file, sources[file], mutants, functions)
	}
	b.files[path.Join(dir, "mutate_bundle.go")] = fmt.Sprintf(`package %s

import (
	mutateOS "os"
	mutateStrconv "strconv"
)

var mutateOn = func() int { n, _ := mutateStrconv.Atoi(mutateOS.Getenv(%q)); return n }()
`+zeroHelper, packageName, mutantEnv)
	return b
}

func (b *bundle) addFile(file string, src []byte, mutants map[int]mutant, functions map[*function][]int) {
	inOrder := slices.SortedFunc(maps.Keys(functions), func(x, y *function) int { return x.start - y.start })
	edits := []edit{}
	var copies strings.Builder
	line := strings.Count(string(src), "\n") + 2
	for _, f := range inOrder {
		var cases strings.Builder
		for _, i := range functions[f] {
			m := mutants[i]
			name := fmt.Sprintf("%sMutant%d", f.name, i)
			text := string(src[f.start:f.nameAt]) + name + string(src[f.nameEnd:m.start]) + m.text + string(src[m.end:f.end])
			fmt.Fprintf(&copies, "%s\n", text)
			n := strings.Count(text, "\n") + 1
			b.copies = append(b.copies, span{file, line, line + n - 1, i})
			line += n
			call := f.receiver + name + f.types + "(" + f.args + ")"
			if f.results {
				fmt.Fprintf(&cases, "case %d: return %s; ", i, call)
			} else {
				fmt.Fprintf(&cases, "case %d: %s; return; ", i, call)
			}
		}
		edits = append(edits, f.edits...)
		edits = append(edits, edit{f.lbrace + 1, f.lbrace + 1, " if mutateOn != 0 { switch mutateOn { " + cases.String() + "} };"})
	}
	slices.SortStableFunc(edits, func(x, y edit) int { return x.at - y.at })
	var out strings.Builder
	done := 0
	for _, e := range edits {
		out.Write(src[done:e.at])
		out.WriteString(e.text)
		done = e.end
	}
	out.Write(src[done:])
	b.files[file] = out.String() + "\n" + copies.String()
}

// at finds the mutant whose function holds a line of a file.
func (b *bundle) at(file string, line int) (mutant int, ok bool) {
	for _, c := range b.copies {
		if c.file == file && c.first <= line && line <= c.last {
			return c.mutant, true
		}
	}
	return 0, false
}
