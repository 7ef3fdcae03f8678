package house

import (
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var renew = flag.Bool("renew", false, "write api/ anew, in place of comparing it")

const apiFolder = "../../api"

// TestAPI: api/ has what each of our packages exports that other modules can import. A change
// of it is to be on purpose: make api writes the files anew, to be committed with it.
func TestAPI(t *testing.T) {
	packages := list(t, "linux", "-export", "./...") // other systems have nothing more
	read := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		at := slices.IndexFunc(packages, func(p pkg) bool { return p.ImportPath == path })
		if at < 0 {
			return nil, fmt.Errorf("%s is not imported", path)
		}
		return os.Open(packages[at].Export)
	})
	now := make(map[string][]string) // lines by file
	for _, p := range packages {
		path, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours || p.Name == "main" || p.Export == "" || slices.Contains(strings.Split(path, "/"), "internal") {
			continue
		}
		of, err := read.Import(p.ImportPath)
		require.NoError(t, err)
		if lines := exported(of); len(lines) > 0 {
			now[path+".txt"] = lines
		}
	}
	require.Contains(t, now, "epmd/session.txt")
	if *renew {
		writeAPI(t, now)
	}
	agreed := readAPI(t)
	for file, lines := range now {
		gone, added := without(agreed[file], lines), without(lines, agreed[file])
		require.Empty(t, append(gone, added...), "api/%s: %d gone, %d new: make api, if that is meant", file, len(gone), len(added))
	}
	require.Len(t, agreed, len(now), "api/ has a file of no package: make api, if that is meant")
}

// without gives the lines that are not among others.
func without(lines, others []string) (left []string) {
	for _, line := range lines {
		if !slices.Contains(others, line) {
			left = append(left, line)
		}
	}
	return left
}

func writeAPI(t *testing.T, files map[string][]string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(apiFolder))
	for file, lines := range files {
		file = filepath.Join(apiFolder, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	}
}

func readAPI(t *testing.T) map[string][]string {
	t.Helper()
	files := make(map[string][]string)
	folder := os.DirFS(apiFolder)
	require.NoError(t, fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(folder, path)
		files[path] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		return err
	}))
	return files
}

// exported lists what a package exports, a line each, in the order of the alphabet.
func exported(p *types.Package) (lines []string) {
	short := func(other *types.Package) string {
		if other == p {
			return ""
		}
		return other.Name()
	}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		switch o := o.(type) {
		case *types.Const:
			add("%s = %s", types.ObjectString(o, short), o.Val().ExactString())
		case *types.TypeName:
			lines = append(lines, exportedType(o, short)...)
		default:
			add("%s", types.ObjectString(o, short))
		}
	}
	for i, line := range lines {
		lines[i] = resultName.ReplaceAllString(line, "")
	}
	slices.Sort(lines)
	return lines
}

// resultName is what the compiler calls a result that has no name.
var resultName = regexp.MustCompile(`#rv[0-9]+ `)

// exportedType lists a type with its exported fields and methods.
func exportedType(o *types.TypeName, short types.Qualifier) (lines []string) {
	named, ok := o.Type().(*types.Named)
	if !ok || o.IsAlias() {
		return []string{types.ObjectString(o, short)}
	}
	head := "type " + o.Name()
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	signature := func(f *types.Func) string { return strings.TrimPrefix(types.TypeString(f.Signature(), short), "func") }
	switch of := named.Underlying().(type) {
	case *types.Struct:
		comparable := ""
		if !types.Comparable(named) {
			comparable = " that does not compare"
		}
		add("%s struct%s", head, comparable)
		for f := range of.Fields() {
			switch {
			case !f.Exported():
			case f.Embedded():
				add("%s struct, embedded %s", head, types.TypeString(f.Type(), short))
			default:
				add("%s struct, %s %s", head, f.Name(), types.TypeString(f.Type(), short))
			}
		}
	case *types.Interface:
		add("%s interface", head)
		for m := range of.Methods() {
			if m.Exported() {
				add("%s interface, %s%s", head, m.Name(), signature(m))
			} else {
				add("%s interface that no other package can have", head)
			}
		}
	default:
		add("%s %s", head, types.TypeString(of, short))
	}
	for m := range named.Methods() {
		if m.Exported() {
			add("method (%s) %s%s", types.TypeString(m.Signature().Recv().Type(), short), m.Name(), signature(m))
		}
	}
	return lines
}
