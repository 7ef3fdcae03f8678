package nodes

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
)

// errHall is what goes wrong with containers, and tells nothing of the daemon.
var errHall = errors.New("containers")

// host is the name of every container's host, which means both loopback addresses
// there: short names work without an @ as they do at home.
const host = "goepmd-nodes"

// label marks the containers.
const label = "goepmd-conformance-nodes"

// lifetime is how long a container lives that nobody removes, in seconds.
const lifetime = "900"

// hall is the containers of a run: one of each image, when it is first needed.
type hall struct {
	pool   *dockertest.Pool
	images map[string]string
	files  map[string][]byte // what every container holds, by path

	mu    sync.Mutex
	boxes map[string]*place
}

// place is a container that is started once.
type place struct {
	once sync.Once
	box  *box
	err  error
}

func openHall(ctx context.Context, images map[string]string, mt *MultiTransport) (*hall, error) {
	pool, err := dockertest.NewPool("")
	if err == nil {
		err = pool.Client.PingWithContext(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDocker, err)
	}
	files, err := newCertificates()
	if err != nil {
		return nil, err
	}
	maps.Copy(files, carrierSource())
	maps.Copy(files, toldSources())
	if mt != nil {
		sources, err := moduleSources(mt.Module)
		if err != nil {
			return nil, err
		}
		maps.Copy(files, sources)
	}
	// Without this file OTP 23's C library asks a DNS server before it looks
	// into /etc/hosts.
	files["etc/nsswitch.conf"] = []byte("hosts: files dns\n")
	return &hall{pool: pool, images: images, files: files, boxes: make(map[string]*place)}, nil
}

// box gives the container of an image.
func (h *hall) box(ctx context.Context, image string) (*box, error) {
	h.mu.Lock()
	p := h.boxes[image]
	if p == nil {
		p = new(place)
		h.boxes[image] = p
	}
	h.mu.Unlock()
	p.once.Do(func() {
		if p.box, p.err = h.open(ctx, image); p.err != nil {
			p.err = fmt.Errorf("%w: image %s: %w", errHall, image, p.err)
		}
	})
	return p.box, p.err
}

func (h *hall) open(ctx context.Context, image string) (*box, error) {
	ref := h.images[image]
	colon := strings.LastIndexByte(ref, ':')
	if colon < 0 {
		return nil, fmt.Errorf("%q is no image with a tag", ref)
	}
	resource, err := h.pool.RunWithOptions(&dockertest.RunOptions{
		Repository: ref[:colon], Tag: ref[colon+1:],
		Hostname:   host,
		ExtraHosts: []string{host + ":127.0.0.1", host + ":::1"},
		Labels:     map[string]string{label: image},
		Cmd:        []string{"/bin/sleep", lifetime},
	}, func(c *docker.HostConfig) {
		c.NetworkMode = "host"
		c.PublishAllPorts = false
		c.AutoRemove = true
	})
	if err != nil {
		return nil, err
	}
	b := &box{hall: h, resource: resource}
	if err = b.upload(ctx, h.files); err == nil && image != apps && image != clients {
		err = b.shell(ctx, "cd "+carrierFolder+" && erlc -Wall "+carrierModule+".erl")
	}
	if err != nil {
		return nil, errors.Join(err, resource.Close())
	}
	return b, nil
}

// close removes the containers, with all that runs in them, and waits for the ends.
func (h *hall) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs error
	for _, p := range h.boxes {
		if p.box != nil {
			errs = errors.Join(errs, p.box.close())
		}
	}
	return errs
}

// box is a running container.
type box struct {
	hall     *hall
	resource *dockertest.Resource
	running  sync.WaitGroup // programs in it
	module   module
}

// close removes the container, and waits for the ends of what ran in it.
func (b *box) close() error {
	err := b.resource.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.running.Wait()
	}()
	select {
	case <-ended:
		return err
	case <-time.After(patience):
		return errors.Join(err, fmt.Errorf("%w: programs go on after their container was removed", errHall))
	}
}

// upload puts files into the container, readable for root alone.
func (b *box) upload(ctx context.Context, files map[string][]byte) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o400, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	err := b.hall.pool.Client.UploadToContainer(b.resource.Container.ID, docker.UploadToContainerOptions{
		InputStream: &archive, Path: "/", Context: ctx,
	})
	if err != nil {
		return fmt.Errorf("%w: files: %w", errHall, err)
	}
	return nil
}
