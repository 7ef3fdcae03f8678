package otpimages

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// heartbeat is how often a step that says nothing says that it goes on.
const heartbeat = 20 * time.Second

// progress writes a line for each step, with the time since the beginning.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	begun time.Time
}

func (p *progress) say(name, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A report that cannot be written stops nothing.
	_, _ = fmt.Fprintf(p.w, "%5.1fs  %-4s  %s\n", time.Since(p.begun).Seconds(), name, fmt.Sprintf(format, args...))
}

// during says now and then that a step goes on, until the function that it gives is
// called.
func (p *progress) during(name, step string) (stop func()) {
	begun := time.Now()
	ticker := time.NewTicker(heartbeat)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ticker.C:
				p.say(name, "%s, for %.0fs now", step, time.Since(begun).Seconds())
			case <-ended:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(ended)
		wg.Wait()
	}
}

// steps is a writer that passes on those lines of mmdebstrap that begin a step
// which takes a while.
func (p *progress) steps(name string) writer {
	var rest string
	return func(b []byte) (int, error) {
		rest += string(b)
		for {
			line, after, found := strings.Cut(rest, "\n")
			if !found {
				return len(b), nil
			}
			rest = after
			for _, step := range []string{"downloading", "extracting", "creating tarball"} {
				if strings.HasPrefix(line, "I: "+step) {
					p.say(name, "%s", strings.TrimPrefix(line, "I: "))
				}
			}
		}
	}
}
