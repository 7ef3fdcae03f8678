package otpimages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// atOnce is how many images are made at once. It is downloads, mostly.
const atOnce = 2

// Image is an image that can be run.
type Image struct {
	// Name is "23", "25", "27", "29", "apps", "apps-27", "clients", "systemd", "supervisors" or "wine".
	Name string
	// Ref is what docker calls it: "goepmd-otp:27-HASH".
	Ref string
	// OTP and ERTS are the versions that a container of it told: "27.3.4.1" and "15.2.7".
	// Debian is that of Debian's erlang-base; empty if the image was pulled.
	OTP, ERTS, Debian string
	// Bytes is its size.
	Bytes int64
	// Took is how long it took to get it; nearly nothing if it was there.
	Took time.Duration
}

// Ensure gets images, all unless names are given, and runs each once. It writes its progress to w,
// and gives the images in the order of the names. With an error it gives those that it has got.
func Ensure(ctx context.Context, w io.Writer, names ...string) ([]Image, error) {
	if len(names) == 0 {
		names = Names()
	}
	wanted := make([]recipe, len(names))
	for i, name := range names {
		var err error
		if wanted[i], err = find(name); err != nil {
			return nil, err
		}
	}
	p := &progress{w: w, begun: time.Now()}
	images := make([]Image, len(names))
	errs := make([]error, len(names))
	hub := &registry{answer: answer}
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, r := range wanted {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			images[i], errs[i] = r.ensure(ctx, p, hub)
			if errs[i] == nil {
				return
			}
			p.say(r.Name, "failed")
			if ctx.Err() != nil { // whatever it made of the command
				errs[i] = context.Cause(ctx)
			}
			errs[i] = fmt.Errorf("image %s: %w", r.Name, errs[i])
		})
	}
	wg.Wait()
	var got []Image
	for i, image := range images {
		if errs[i] == nil {
			got = append(got, image)
		}
	}
	return got, errors.Join(errs...)
}

// Ref is what docker calls an image, and whether it is there to be run.
func Ref(ctx context.Context, name string) (ref string, here bool, err error) {
	r, err := find(name)
	if err != nil {
		return "", false, err
	}
	if ref, err = r.ref(); err != nil {
		return "", false, err
	}
	id, err := docker(ctx, "image", "ls", "--quiet", ref)
	return ref, id != "", err
}

func (r recipe) ensure(ctx context.Context, p *progress, hub *registry) (Image, error) {
	begun := time.Now()
	ref, here, err := Ref(ctx, r.Name)
	if err != nil {
		return Image{}, err
	}
	id := ref
	if !here {
		if id, err = r.get(ctx, p, hub); err != nil {
			return Image{}, err
		}
		p.say(r.Name, "running it")
	}
	image := Image{Name: r.Name, Ref: ref}
	remark, err := image.examine(ctx, r, id)
	if err != nil {
		if !here && id != r.Pull {
			// Nobody would find it again. That it cannot be removed is the lesser trouble.
			_, _ = docker(context.WithoutCancel(ctx), "image", "rm", "--force", id)
		}
		return Image{}, err
	}
	for _, tag := range []string{ref, r.alias()} {
		if _, err := docker(ctx, "tag", id, tag); err != nil {
			return Image{}, err
		}
	}
	if remark != "" {
		p.say(r.Name, "NOTE: %s", remark)
	}
	image.Took = time.Since(begun)
	p.say(r.Name, "ready: %s", ref)
	return image, nil
}

// examine runs an image, and notes what it is. It fails if the scenarios are not for that.
func (i *Image) examine(ctx context.Context, r recipe, id string) (remark string, err error) {
	if i.OTP, i.ERTS, err = r.run(ctx, id); err != nil {
		return "", err
	}
	format := fmt.Sprintf("{{.Size}} {{index .Config.Labels %q}}", debianLabel)
	out, err := docker(ctx, "image", "inspect", "--format", format, id)
	if err != nil {
		return "", err
	}
	size, debian, _ := strings.Cut(out, " ")
	i.Debian = debian
	if i.Bytes, err = strconv.ParseInt(size, 10, 64); err != nil {
		return "", err
	}
	return r.judge(versions{i.OTP, i.Debian})
}

// get pulls or makes an image.
func (r recipe) get(ctx context.Context, p *progress, hub *registry) (id string, err error) {
	if r.Pull == "" {
		defer p.during(r.Name, "making it")()
		return r.build(ctx, p)
	}
	defer p.during(r.Name, "getting it")()
	p.say(r.Name, "asking a registry")
	err = hub.pull(ctx, r.Pull)
	if err == nil {
		return r.Pull, nil
	}
	if ctx.Err() != nil {
		return "", err
	}
	p.say(r.Name, "not pulled: %v", err)
	id, made := r.build(ctx, p)
	if made != nil {
		return "", fmt.Errorf("neither pulled (%w) nor made: %w", err, made)
	}
	return id, nil
}
