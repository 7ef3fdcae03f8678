package otpimages

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"
)

// answer is how long a registry may take until it says something.
const answer = 5 * time.Second

// errSilent says that no registry answers.
var errSilent = errors.New("no registry answers")

// lacks is how docker says that a registry does not have an image.
var lacks = regexp.MustCompile(`manifest unknown|: not found`)

// registry pulls images. Once it was found silent it is not asked again.
type registry struct {
	answer time.Duration
	mu     sync.Mutex // held until something was heard
	silent bool
}

// pull gets an image. It fails with errSilent if there is no registry, and with an
// error of docker if an image does not come to its end.
func (r *registry) pull(ctx context.Context, ref string) error {
	r.mu.Lock()
	unlock := sync.OnceFunc(r.mu.Unlock)
	defer unlock()
	if r.silent {
		return errSilent
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	alarm := time.AfterFunc(r.answer, cancel)
	defer alarm.Stop()

	heard := false
	cmd := command(asking, "docker", "pull", ref)
	cmd.Stdout = firstWrite(func() {
		heard = true
		alarm.Stop()
		unlock()
	})
	_, err := run(cmd)
	if err != nil && !heard && ctx.Err() == nil && !lacks.MatchString(err.Error()) {
		r.silent = true
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

// firstWrite is a writer that calls a function before all else.
func firstWrite(f func()) writer {
	once := sync.OnceFunc(f)
	return func(b []byte) (int, error) {
		once()
		return len(b), nil
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
