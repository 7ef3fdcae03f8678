package testbed

import (
	"bytes"
	"sync"
)

// outputKept is how many bytes at the end of what was written are kept, at least.
const outputKept = 1 << 20

// Output keeps the end of what is written to it, to be read meanwhile.
type Output struct {
	mu      sync.Mutex
	end     bytes.Buffer
	written int64
}

// Write never fails.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.written += int64(len(b))
	if o.end.Len() > 2*outputKept {
		o.end.Next(o.end.Len() - outputKept)
	}
	return o.end.Write(b)
}

// String is the end.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.end.String()
}

// Written is how many bytes were written in all.
func (o *Output) Written() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.written
}
