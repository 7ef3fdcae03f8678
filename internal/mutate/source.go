package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// module is the Go module whose packages are mutated.
type module struct {
	path, root string
}

// newModule finds the module around a folder.
func newModule(ctx context.Context, dir string) (module, error) {
	out, err := goCommand(ctx, dir, "list", "-m", "-f", "{{.Path}}\n{{.Dir}}")
	if err != nil {
		return module{}, fmt.Errorf("run this inside a module: %w", err)
	}
	path, root, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return module{path, root}, nil
}

// goCommand runs the go command and gives what it wrote.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.Bytes(), nil
}

// listed is what `go list` tells of a package.
type listed struct {
	ImportPath, Name, Dir string
	GoFiles, EmbedFiles   []string
	Module                *struct{ Main bool }
}

func (m module) list(ctx context.Context, args ...string) ([]listed, error) {
	out, err := goCommand(ctx, m.root, append([]string{"list", "-json=ImportPath,Name,Dir,GoFiles,EmbedFiles,Module"}, args...)...)
	if err != nil {
		return nil, err
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
}

// below is a package's path below the module.
func (m module) below(importPath string) string {
	path, _, _ := strings.Cut(importPath, " ")
	if path == m.path {
		return "."
	}
	return strings.TrimPrefix(path, m.path+"/")
}

// source is a package to mutate.
type source struct {
	pkg     string            // its path below the module
	clause  string            // its name
	files   map[string][]byte // by path below the module's root
	mutants []mutant
}

// sources finds every mutant of the packages that match the patterns.
func (m module) sources(ctx context.Context, patterns []string) ([]source, error) {
	packages, err := m.list(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	all := []source{}
	for _, p := range packages {
		s := source{pkg: m.below(p.ImportPath), clause: p.Name, files: map[string][]byte{}}
		for _, f := range p.GoFiles {
			path := filepath.Join(p.Dir, f)
			src, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, path, src, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			if ast.IsGenerated(parsed) {
				continue
			}
			short, err := filepath.Rel(m.root, path)
			if err != nil {
				return nil, err
			}
			short = filepath.ToSlash(short)
			s.files[short] = src
			s.mutants = append(s.mutants, find(fset, parsed, src, s.pkg, short)...)
		}
		s.name()
		all = append(all, s)
	}
	return all, nil
}

// name gives the mutants their ids.
func (s *source) name() {
	lines := map[string][]string{}
	for file, src := range s.files {
		lines[file] = strings.Split(string(src), "\n")
	}
	seen := map[string]int{}
	for i := range s.mutants {
		m := &s.mutants[i]
		m.ID += "/" + m.Operator + "/"
		key := strings.Join([]string{m.ID, strings.TrimSpace(lines[m.File][m.Line-1]), m.Old, m.New}, "\x00")
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, seen[key]))
		seen[key]++
		m.ID += hex.EncodeToString(sum[:4])
	}
}

// hashes says what an outcome holds for: the mutated package with what it stands on,
// and everything else that its judges are made of.
type hashes struct{ code, tests string }

func (m module) hash(ctx context.Context, pkg string, judges []string) (hashes, error) {
	own, err := m.list(ctx, "-deps", "./"+pkg)
	if err != nil {
		return hashes{}, err
	}
	code := m.files(own)
	args := []string{"-deps", "-test"}
	for _, j := range judges {
		args = append(args, "./"+j)
	}
	seen, err := m.list(ctx, args...)
	if err != nil {
		return hashes{}, err
	}
	tests := slices.DeleteFunc(m.files(seen), func(f string) bool { return slices.Contains(code, f) })
	for _, j := range judges {
		data, err := below(filepath.Join(m.root, j, "testdata"))
		if err != nil {
			return hashes{}, err
		}
		tests = append(tests, data...)
	}
	for _, f := range []string{"go.mod", "go.sum"} {
		if path := filepath.Join(m.root, f); exists(path) {
			tests = append(tests, path)
		}
	}
	var h hashes
	if h.code, err = hashFiles(code); err == nil {
		h.tests, err = hashFiles(tests)
	}
	return h, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// below is every file below a folder, none if there is no folder.
func below(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return files, err
}

// files is the files of those packages that are the module's own, sorted.
func (m module) files(packages []listed) []string {
	files := []string{}
	for _, p := range packages {
		if p.Module == nil || !p.Module.Main || strings.HasSuffix(p.ImportPath, ".test") {
			continue
		}
		for _, f := range slices.Concat(p.GoFiles, p.EmbedFiles) {
			files = append(files, filepath.Join(p.Dir, f))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// hashFiles is a hash of the files' texts and of the version of Go.
func hashFiles(files []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n%s", filepath.Base(f), len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
