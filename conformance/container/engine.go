package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// label is on every container that this package starts.
const label = "goepmd.conformance"

// engine is the container engine of this machine.
type engine struct {
	pool *dockertest.Pool
	// waiting is for the one request that takes as long as a container lives.
	waiting *dockertest.Pool
}

func open() (*engine, error) {
	pool, err := dockertest.NewPool("")
	if err == nil {
		pool.Client.SetTimeout(patience)
		err = pool.Client.Ping()
	}
	if err != nil {
		return nil, fmt.Errorf("docker does not answer (apt-get install docker.io, and start it): %w", err)
	}
	waiting, err := dockertest.NewPool("")
	if err != nil {
		return nil, err
	}
	return &engine{pool: pool, waiting: waiting}, nil
}

// entrypoint is what an image runs.
func (e *engine) entrypoint(image string) ([]string, error) {
	i, err := e.pool.Client.InspectImage(image)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w (go run ./docker/otp-images makes those of OTP)", image, err)
	}
	if i.Config == nil {
		return nil, nil
	}
	return i.Config.Entrypoint, nil
}

// errNoShell says that an image has no shell.
var errNoShell = errors.New("no shell")

// box is a running container.
type box struct {
	engine *engine
	id     string
}

// start starts a container in the network of this machine, without what an image's
// environment tells an EPMD. It is removed when its first program ends. The function is called
// in between, when there is a container that has not begun.
func (e *engine) start(ctx context.Context, c docker.Config, binds []string, expiry time.Duration, created func(*box) error) (*box, error) {
	c.Env = []string{"ERL_EPMD_PORT", "ERL_EPMD_ADDRESS", "ERL_EPMD_RELAXED_COMMAND_CHECK"} // no value: removed
	c.Labels = map[string]string{label: fmt.Sprint(os.Getpid())}
	c.StopSignal = "SIGWINCH" // which nobody minds, so that the expiry is the end
	made, err := e.pool.Client.CreateContainer(docker.CreateContainerOptions{
		Context: ctx,
		Config:  &c,
		HostConfig: &docker.HostConfig{
			NetworkMode: "host",
			AutoRemove:  true,
			Binds:       binds,
			LogConfig:   docker.LogConfig{Type: "none"},
		},
	})
	if err != nil {
		return nil, err
	}
	b := &box{engine: e, id: made.ID}
	if created != nil {
		err = created(b)
	}
	if err == nil {
		err = e.pool.Client.StartContainerWithContext(b.id, nil, ctx)
	}
	if err == nil {
		err = b.expire(expiry)
	}
	if err != nil {
		if strings.Contains(err.Error(), "no such file or directory") || strings.Contains(err.Error(), "executable file not found") {
			err = fmt.Errorf("%w: %w", errNoShell, err)
		}
		return nil, errors.Join(err, b.remove())
	}
	return b, nil
}

// expire lets the engine end the container after a time, should nobody do so before.
func (b *box) expire(after time.Duration) error {
	c, err := b.engine.waiting.Client.InspectContainer(b.id)
	if err != nil {
		return err
	}
	r, found := b.engine.waiting.ContainerByName(strings.TrimPrefix(c.Name, "/"))
	if !found {
		return errors.New("the container has ended at once")
	}
	return r.Expire(uint(max(after.Seconds(), 1)))
}

// remove ends the container and waits until it is gone.
func (b *box) remove() error {
	client := b.engine.pool.Client
	// Whether this or the end of its first program removes it does not matter.
	tried := client.RemoveContainer(docker.RemoveContainerOptions{ID: b.id, Force: true, RemoveVolumes: true})
	gone := new(docker.NoSuchContainer)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		_, err := client.InspectContainer(b.id)
		if errors.As(err, &gone) {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("container %s is still there: docker rm --force it", b.id), tried, err)
		}
	}
}
