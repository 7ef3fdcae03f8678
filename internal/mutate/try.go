package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// visible is the packages whose tests can see a mutation of a package, the
// package itself first.
var visible = map[string][]string{
	"./wire":         {"./wire", "./registry", "./epmd/session"},
	"./registry":     {"./registry", "./epmd/session"},
	"./epmd/session": {"./epmd/session"},
}

// outcome is what became of a mutant: killed by a test, or in error, or neither,
// and then it has survived.
type outcome struct {
	mutation
	by   failure
	err  error
	time time.Duration
}

func (o outcome) killed() bool   { return o.err == nil && o.by.Test != "" }
func (o outcome) survived() bool { return o.err == nil && o.by.Test == "" }

func (o outcome) String() string {
	switch {
	case o.err != nil:
		return "ERROR: " + o.err.Error()
	case o.killed():
		return "killed by " + o.by.String()
	}
	return "SURVIVED: " + o.breaks
}

// try tests the mutants, a few at a time, after the tree as it is. The outcomes
// are in the order of the mutations.
func try(ctx context.Context, g *goTool, c config, mutations []mutation, progress io.Writer) ([]outcome, error) {
	needed := []string{}
	for _, m := range mutations {
		needed = append(needed, inOrder(m, c.tests)...)
	}
	slices.Sort(needed)
	for _, pkg := range slices.Compact(needed) {
		f, err := g.test(ctx, "", pkg)
		if err == nil && f.Test != "" {
			err = fmt.Errorf("%s does not", f)
		}
		if err != nil {
			return nil, fmt.Errorf("without any mutation every test must pass: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	outcomes := make([]outcome, len(mutations))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range c.jobs {
		wg.Go(func() {
			for i := range next {
				o := g.tryOne(ctx, filepath.Join(dir, strconv.Itoa(i)), mutations[i], c.tests)
				outcomes[i] = o
				mu.Lock()
				done++
				fmt.Fprintf(progress, "%d of %d %s %s [%.1f s]\n", done, len(mutations), o.id, o, o.time.Seconds())
				mu.Unlock()
			}
		})
	}
	for i := range mutations {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return outcomes, ctx.Err()
}

// tryOne tests one mutant. Its files are in dir, which it makes and removes.
func (g *goTool) tryOne(ctx context.Context, dir string, m mutation, tests []string) (o outcome) {
	o.mutation = m
	start := time.Now()
	defer func() { o.time = time.Since(start) }()
	defer os.RemoveAll(dir) // what remains goes with its parent
	overlay, err := g.writeOverlay(dir, m)
	if err != nil {
		o.err = err
		return o
	}
	if o.err = g.build(ctx, overlay, visible[m.pkg()]...); o.err != nil {
		return o
	}
	for _, pkg := range inOrder(m, tests) {
		if o.by, o.err = g.test(ctx, overlay, pkg); o.err != nil || o.by.Test != "" {
			return o
		}
	}
	return o
}

// inOrder is the packages to test: those that were asked for, or that can see the
// mutation, its own first.
func inOrder(m mutation, tests []string) []string {
	if tests == nil {
		return visible[m.pkg()]
	}
	tests = slices.Clone(tests)
	if i := slices.Index(tests, m.pkg()); i > 0 {
		tests[0], tests[i] = tests[i], tests[0]
	}
	return tests
}

// writeOverlay writes the mutated file, and the overlay that puts it in the place
// of the original.
func (g *goTool) writeOverlay(dir string, m mutation) (string, error) {
	original := filepath.Join(g.root, filepath.FromSlash(m.file))
	src, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	mutant, err := m.apply(string(src))
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	file, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, []byte(mutant), 0o600); err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, text, 0o600)
}
