package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/ory/dockertest/v3/docker"

	"github.com/goepmd/goepmd/conformance"
)

// mount is where the launcher's folder is seen in the container.
const mount = "/goepmd"

// launcher runs programs by way of a shell that is the container's first program. It
// takes commands on its standard input, and says on its standard output what
// became of them, a line each. What the programs print goes to files.
type launcher struct {
	box     *box
	dir     string   // on this machine
	program []string // the epmd that was found

	write  sync.Mutex // held while writing a command
	stdin  *io.PipeWriter
	stderr lockedBuffer
	ready  chan struct{} // closed when it takes commands
	ended  chan struct{} // closed when it takes no more

	mu   sync.Mutex // of what follows
	last int
	jobs map[int]*launched
}

// hello finds the epmd and shows that both sides see the same folder. The end of the
// input, that is of our side, removes the files.
const hello = `trap 'rm -rf ` + mount + `/*' EXIT
for p in "$(command -v epmd)" /usr/local/bin/epmd /usr/bin/epmd /usr/local/lib/erlang/erts-*/bin/epmd /usr/lib/erlang/erts-*/bin/epmd; do
	if [ -x "$p" ]; then echo "program $p"; break; fi
done
echo hello >` + mount + `/hello
echo ready
`

func startLauncher(ctx context.Context, e *engine, image string, o options) (*launcher, error) {
	dir, err := os.MkdirTemp("", "goepmd-conformance-*")
	if err != nil {
		return nil, err
	}
	stdin, w := io.Pipe()
	l := &launcher{dir: dir, stdin: w, ready: make(chan struct{}), ended: make(chan struct{}), jobs: make(map[int]*launched)}
	// The image may have a user of its own. Nobody else gets through the folder above.
	shared := filepath.Join(dir, "shared")
	if err = os.Mkdir(shared, 0o777); err == nil {
		err = os.Chmod(shared, 0o777)
	}
	if err == nil {
		l.box, err = e.start(ctx, docker.Config{
			Image: image, Entrypoint: []string{"/bin/sh"},
			OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		}, []string{shared + ":" + mount + ":z"}, o.expiry, func(b *box) error { return l.attach(ctx, b, stdin) })
	}
	if err != nil {
		return nil, errors.Join(err, stdin.Close(), os.RemoveAll(dir))
	}
	if err := l.greet(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// attach connects to the shell's streams, before it begins.
func (l *launcher) attach(ctx context.Context, b *box, stdin io.Reader) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	attached := make(chan struct{})
	stream, err := b.engine.pool.Client.AttachToContainerNonBlocking(docker.AttachToContainerOptions{
		Container: b.id, Success: attached, Stream: true, Stdin: true, Stdout: true, Stderr: true,
		InputStream: stdin, OutputStream: &lines{each: l.heard}, ErrorStream: &l.stderr,
	})
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	go func() {
		defer l.end()
		<-attached
		attached <- struct{}{}
		close(ready)
		_ = stream.Wait() // how it ended does not matter, and ended tells that
	}()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// greet waits until the shell takes commands.
func (l *launcher) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.command(hello); err != nil {
		return err
	}
	select {
	case <-l.ready:
	case <-l.ended:
		return fmt.Errorf("its shell ended: %s", l.stderr.String())
	case <-ctx.Done():
		return fmt.Errorf("its shell does not answer: %w: %s", context.Cause(ctx), l.stderr.String())
	}
	if _, err := os.Stat(filepath.Join(l.dir, "shared", "hello")); err != nil {
		return fmt.Errorf("the container does not see this machine's folders, so the engine runs on another: %w", err)
	}
	return nil
}

// command gives the shell something to do.
func (l *launcher) command(text string) error {
	l.write.Lock()
	defer l.write.Unlock()
	if _, err := io.WriteString(l.stdin, text); err != nil {
		return fmt.Errorf("the container's shell has ended: %w", err)
	}
	return nil
}

var goodEnv = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

func (l *launcher) run(_ context.Context, j job) (process, error) {
	l.mu.Lock()
	l.last++
	p := &launched{launcher: l, id: l.last, began: make(chan struct{}), ended: make(chan struct{})}
	l.jobs[p.id] = p
	l.mu.Unlock()

	script, err := p.script(j)
	if err == nil {
		err = l.command(script)
	}
	if err != nil {
		l.forget(p.id)
		return nil, err
	}
	// That it has begun is awaited, since a limit may be refused.
	select {
	case <-p.began:
	case <-p.ended:
	case <-l.ended:
	}
	if p.refused {
		l.forget(p.id)
		return nil, conformance.Unsupported("the container may not have a limit of %d open files", j.files)
	}
	return p, nil
}

func (l *launcher) forget(id int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.jobs, id)
}

// heard takes a line of the shell: "began ID PID", "ended ID STATUS", "refused ID",
// "program PATH" or "ready".
func (l *launcher) heard(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "ready":
		close(l.ready)
		return
	case "program":
		l.program = []string{rest}
		return
	}
	var id, n int
	if _, err := fmt.Sscan(rest+" 0", &id, &n); err != nil {
		return // not from us
	}
	l.mu.Lock()
	p := l.jobs[id]
	l.mu.Unlock()
	if p == nil {
		return
	}
	switch word {
	case "began":
		p.pid = n
		close(p.began)
	case "ended":
		p.status = n
		p.end()
	case "refused":
		p.refused = true
		p.end()
	}
}

// end is called when the shell has ended, and with it all else.
func (l *launcher) end() {
	close(l.ended)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.jobs {
		p.end()
	}
}

func (l *launcher) close() error {
	err := l.stdin.Close()
	if l.box != nil {
		err = errors.Join(err, l.box.remove())
		<-l.ended
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// launched is a program that the launcher has started.
type launched struct {
	launcher *launcher
	id       int
	began    chan struct{} // closed when pid is known
	ended    chan struct{} // closed when status is, or refused
	once     sync.Once

	pid, status int
	refused     bool
}

func (p *launched) end() { p.once.Do(func() { close(p.ended) }) }

// script is a job in the shell's language. The subshell in front ends at once, so that
// the shell has no list of what it started, and reaps what has ended before. The next one waits
// for the program. It has no more open files than any other program.
func (p *launched) script(j job) (string, error) {
	var limit, program strings.Builder
	if j.files > 0 {
		fmt.Fprintf(&limit, "ulimit -n %d || { echo refused %d; exit; }; ", j.files, p.id)
	}
	for _, e := range j.env {
		if !goodEnv.MatchString(e) {
			return "", conformance.Unsupported("a shell cannot set %q", e)
		}
		fmt.Fprintf(&program, "export %s; ", quote(e))
	}
	program.WriteString("exec")
	for _, a := range j.args {
		program.WriteString(" " + quote(a))
	}
	if strings.ContainsRune(program.String(), 0) {
		return "", conformance.Unsupported("no program can be given a NUL")
	}
	file := mount + "/" + strconv.Itoa(p.id)
	return fmt.Sprintf(`( ( %s( %s ) >%s.out 2>%s.err & echo began %d $!; wait $!; echo ended %d $? ) & )`+"\n",
		limit.String(), program.String(), file, file, p.id, p.id), nil
}

// quote is a word for the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (p *launched) done() <-chan struct{} { return p.ended }

func (p *launched) result() (conformance.Output, error) {
	select {
	case <-p.launcher.ended:
		return conformance.Output{}, errors.New("the container has ended")
	default:
	}
	var errOut, errErr error
	out := conformance.Output{Status: p.status}
	out.Stdout, errOut = os.ReadFile(p.file("out"))
	out.Stderr, errErr = os.ReadFile(p.file("err"))
	return out, errors.Join(errOut, errErr)
}

func (p *launched) file(of string) string {
	return filepath.Join(p.launcher.dir, "shared", strconv.Itoa(p.id)+"."+of)
}

func (p *launched) kill() error {
	if p.pid == 0 {
		return errors.New("it has not begun")
	}
	return p.launcher.command(fmt.Sprintf("kill -9 %d\n", p.pid))
}

func (p *launched) release() error {
	p.launcher.forget(p.id)
	return errors.Join(os.Remove(p.file("out")), os.Remove(p.file("err")))
}

// lines is a writer that calls a function with each whole line.
type lines struct {
	each func(string)
	rest []byte
}

func (w *lines) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, after, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		w.each(string(line))
		w.rest = after
	}
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *lockedBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *lockedBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
