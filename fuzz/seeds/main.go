// Command seeds writes the seed corpora of the fuzz targets, always the same ones:
//
//	go run ./fuzz/seeds [-dir fuzz/testdata/fuzz]
//
// With -plain it writes those of the targets with one argument to another folder
// instead, as plain bytes, for fuzzers that do not know Go's format.
//
// What a fuzzer found, files that begin with "found-", is left alone.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/fuzz"
)

func main() {
	dir := flag.String("dir", filepath.Join("fuzz", "testdata", "fuzz"), "the `folder` to write to")
	plain := flag.String("plain", "", "the `folder` to write plain bytes to")
	flag.Parse()
	writer := write
	if *plain != "" {
		writer, *dir = writePlain, *plain
	}
	n, err := writer(*dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d seeds in %s\n", n, *dir)
}

// writePlain writes the seeds of one argument as their bytes, and says how many.
func writePlain(dir string) (int, error) {
	seeds, err := fuzz.Seeds()
	if err != nil {
		return 0, err
	}
	n := 0
	for path, text := range seeds {
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != 2 {
			continue
		}
		b, err := strconv.Unquote(strings.TrimSuffix(strings.TrimPrefix(lines[1], "[]byte("), ")"))
		if err != nil {
			return n, fmt.Errorf("%s: %w", path, err)
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return n, err
		}
		if err := os.WriteFile(to, []byte(b), 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// write replaces the seeds below a folder and says how many there are.
func write(dir string) (int, error) {
	seeds, err := fuzz.Seeds()
	if err != nil {
		return 0, err
	}
	for path := range seeds {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
			return 0, err
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "Fuzz*", fuzz.SeedPrefix+"*"))
	if err != nil {
		return 0, err
	}
	for _, path := range old {
		rel := filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator)))
		if _, kept := seeds[rel]; kept {
			continue
		}
		if err := os.Remove(path); err != nil {
			return 0, err
		}
	}
	for path, b := range seeds {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(path)), b, 0o644); err != nil {
			return 0, err
		}
	}
	return len(seeds), nil
}
