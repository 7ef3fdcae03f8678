package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

//go:embed page
var page embed.FS

// module is the package that becomes epmd.wasm.
const module = "github.com/goepmd/goepmd/fuzz/wasm"

// site is the files by their names. It serves them, "/" being index.html.
type site map[string]file

// file is one file, as it is and compressed by gzip.
type file struct {
	plain, packed []byte
}

// add puts a file into the site.
func (s site) add(name string, body []byte) error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	s[name] = file{body, packed.Bytes()}
	return nil
}

// buildSite builds the module and puts the files together.
func buildSite(ctx context.Context) (site, error) {
	s := make(site)
	entries, err := fs.ReadDir(page, "page")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		body, err := page.ReadFile(path.Join("page", e.Name()))
		if err != nil {
			return nil, err
		}
		if err := s.add(e.Name(), body); err != nil {
			return nil, err
		}
	}
	dir, err := goCommand(ctx, "list", "-f", "{{.Dir}}", module)
	if err != nil {
		return nil, err
	}
	const host = "epmd.mjs" // what the page calls the module with
	body, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), host))
	if err != nil {
		return nil, err
	}
	wasm, err := buildModule(ctx)
	if err != nil {
		return nil, err
	}
	return s, errors.Join(s.add(host, body), s.add("epmd.wasm", wasm))
}

// buildModule compiles the daemon for WebAssembly.
func buildModule(ctx context.Context) (wasm []byte, err error) {
	dir, err := os.MkdirTemp("", "playground")
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
	}()
	file := filepath.Join(dir, "epmd.wasm")
	_, err = goCommand(ctx, "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", file, module)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// goCommand runs the go command for the module's platform.
func goCommand(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s (run this inside the repository): %w\n%s", args[0], err, complaints.Bytes())
	}
	return out, nil
}

// write writes the files into a folder, which it makes.
func (s site) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, f := range s {
		if err := os.WriteFile(filepath.Join(dir, name), f.plain, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// types are the media types of the files, as browsers insist on them for modules;
// those that the system knows may be others.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".wasm": "application/wasm",
}

// ServeHTTP serves one file.
func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	f, known := s[name]
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store") // the next build may differ
	w.Header().Set("Vary", "Accept-Encoding")
	body := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = f.packed
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}
