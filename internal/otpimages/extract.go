package otpimages

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Extract takes the epmd program of an image, with the libraries that it needs, into a
// folder, and gives the path of a script that runs it there: without a container, in
// whatever network the caller is.
func Extract(ctx context.Context, ref, folder string) (program string, err error) {
	id, err := docker(ctx, "create", "--network", "none", "--label", repository, ref, "/bin/true")
	if err != nil {
		return "", err
	}
	defer func() {
		_, gone := docker(context.WithoutCancel(ctx), "rm", "-f", id)
		err = errors.Join(err, gone)
	}()
	found, err := export(ctx, id, folder)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", ref, err)
	}
	if found.epmd == "" || found.loader == "" {
		return "", fmt.Errorf("image %s: it holds no epmd, or no loader of programs", ref)
	}
	var dirs []string
	for _, d := range found.dirs {
		dirs = append(dirs, filepath.Join(folder, d))
	}
	program = filepath.Join(folder, "epmd")
	script := fmt.Sprintf("#!/bin/sh\nexec %q --library-path %q %q \"$@\"\n",
		filepath.Join(folder, found.loader), strings.Join(dirs, ":"), filepath.Join(folder, found.epmd))
	return program, os.WriteFile(program, []byte(script), 0o755)
}

// found is what an image holds of what epmd needs, by paths in it.
type found struct {
	epmd, loader string
	dirs         []string // of libraries
}

var (
	epmdPath    = regexp.MustCompile(`(^|/)erts-[^/]+/bin/epmd$`)
	libraryPath = regexp.MustCompile(`^(usr/)?lib(64)?/([^/]+-linux-[^/]+/)?[^/]+\.so(\.[0-9.]+)?$`)
	loaderPath  = regexp.MustCompile(`/ld-(linux|musl)[^/]*\.so(\.[0-9]+)?$`)
)

// export unpacks those files of a container.
func export(ctx context.Context, id, folder string) (found, error) {
	cmd := command(ctx, "docker", "export", id)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return found{}, err
	}
	if err := cmd.Start(); err != nil {
		return found{}, err
	}
	f, err := unpack(tar.NewReader(out), folder)
	_, rest := io.Copy(io.Discard, out) // or docker would wait
	return f, errors.Join(err, rest, cmd.Wait())
}

func unpack(r *tar.Reader, folder string) (found, error) {
	var f found
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		name := strings.TrimPrefix(h.Name, "./")
		isEpmd := epmdPath.MatchString(name)
		if !isEpmd && !libraryPath.MatchString(name) || !filepath.IsLocal(name) {
			continue
		}
		if err := place(r, h, filepath.Join(folder, name)); err != nil {
			return f, err
		}
		switch dir := filepath.Dir(name); {
		case isEpmd:
			f.epmd = name
			continue
		case !slices.Contains(f.dirs, dir):
			f.dirs = append(f.dirs, dir)
		}
		if f.loader == "" && loaderPath.MatchString(name) {
			f.loader = name
		}
	}
}

// place writes a file or a link to one beside it.
func place(r io.Reader, h *tar.Header, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeSymlink:
		if filepath.Base(h.Linkname) != h.Linkname {
			return nil // what it leads to is there under its own name
		}
		return os.Symlink(h.Linkname, path)
	case tar.TypeReg:
		w, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return errors.Join(err, w.Close())
	}
	return nil
}
