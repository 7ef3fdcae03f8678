package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ory/dockertest/v3/docker"

	"github.com/goepmd/goepmd/conformance"
)

// execs runs programs in a container by the engine's exec, beside an EPMD that keeps
// the container alive.
type execs struct {
	box *box
	all sync.WaitGroup // what waits for a program's end
}

func startExecs(ctx context.Context, e *engine, image string, program []string, o options) (*execs, error) {
	var errs error
	for range startTries {
		port, err := conformance.FreePort()
		if err != nil {
			return nil, err
		}
		b, err := e.start(ctx, docker.Config{
			Image: image, Entrypoint: program, Cmd: []string{"-port", strconv.Itoa(int(port))},
		}, nil, o.expiry, nil)
		if errors.Is(err, errNoShell) {
			return nil, fmt.Errorf("it has no program %q: %w", program[0], err)
		}
		if err == nil {
			if err = b.awaitListening(ctx, port); err == nil {
				return &execs{box: b}, nil
			}
			err = errors.Join(err, b.remove())
		}
		errs = err
	}
	return nil, fmt.Errorf("its program %q does not keep the container alive: %w", program, errs)
}

// awaitListening returns when the container's first program listens on a port, or has
// ended instead.
func (b *box) awaitListening(ctx context.Context, port uint16) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	defer func() {
		cancel()
		<-ended
	}()
	go func() {
		defer close(ended)
		// However this ends before it is cancelled, there is no use in waiting on.
		_, _ = b.engine.pool.Client.WaitContainerWithContext(b.id, ctx)
	}()
	return conformance.AwaitListening(ctx, port, ended)
}

func (x *execs) close() error {
	err := x.box.remove()
	x.all.Wait() // its connections have ended with it
	return err
}

func (x *execs) run(ctx context.Context, j job) (process, error) {
	if j.files > 0 {
		return nil, conformance.Unsupported("an image without a shell cannot start a program with a limit of open files")
	}
	client := x.box.engine.pool.Client
	made, err := client.CreateExec(docker.CreateExecOptions{
		Context: ctx, Container: x.box.id, Cmd: j.args, Env: j.env, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return nil, err
	}
	p := &executed{execs: x, id: made.ID, ended: make(chan struct{})}
	stream, err := client.StartExecNonBlocking(made.ID, docker.StartExecOptions{OutputStream: &p.stdout, ErrorStream: &p.stderr})
	if err != nil {
		return nil, err
	}
	x.all.Go(func() {
		defer close(p.ended)
		if p.err = stream.Wait(); p.err == nil {
			p.status, p.err = p.await()
		}
	})
	return p, nil
}

// executed is a program that the engine has started.
type executed struct {
	execs *execs
	id    string
	ended chan struct{} // closed when what follows is known

	stdout, stderr bytes.Buffer
	status         int
	err            error
}

// await gives the exit status of a program whose streams have ended.
func (p *executed) await() (int, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		now, err := p.execs.box.engine.pool.Client.InspectExec(p.id)
		if err != nil {
			return 0, err
		}
		if !now.Running {
			return now.ExitCode, nil
		}
		if time.Now().After(deadline) {
			return 0, errors.New("it has closed its output, but does not end")
		}
	}
}

func (p *executed) done() <-chan struct{} { return p.ended }

func (p *executed) result() (conformance.Output, error) {
	return conformance.Output{Stdout: p.stdout.Bytes(), Stderr: p.stderr.Bytes(), Status: p.status}, p.err
}

func (p *executed) release() error { return nil }

// kill ends the program by a signal, which takes root.
func (p *executed) kill() error {
	pid, err := p.pid()
	if err != nil {
		return err
	}
	// The engine's word is not enough: it may run on another machine.
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return err
	}
	if !strings.Contains(string(groups), p.execs.box.id) {
		return fmt.Errorf("process %d is not in container %s", pid, p.execs.box.id)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Kill()
}

// pid is the program's number on this machine. dockertest does not give it.
func (p *executed) pid() (int, error) {
	client := p.execs.box.engine.pool.Client
	address := "http://docker"
	if e := client.Endpoint(); strings.HasPrefix(e, "http") {
		address = strings.TrimRight(e, "/")
	}
	resp, err := client.HTTPClient.Get(address + "/exec/" + p.id + "/json")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var found struct{ Pid int }
	if err := json.NewDecoder(resp.Body).Decode(&found); err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK || found.Pid == 0 {
		return 0, fmt.Errorf("the engine does not tell the process of exec %s (%s)", p.id, resp.Status)
	}
	return found.Pid, nil
}
