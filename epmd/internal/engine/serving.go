package engine

// Serving is one call of Serve. Its engine counts, under its own lock or in its loop, how
// many of the call's listeners are left.
type Serving struct {
	listeners int
	failed    chan error // takes why the last one failed
}

// NewServing begins with so many listeners.
func NewServing(listeners int) *Serving {
	return &Serving{listeners: listeners, failed: make(chan error, 1)}
}

// ListenerFailed counts one listener less. Failed fires with the last one.
func (s *Serving) ListenerFailed(err error) {
	if s.listeners--; s.listeners == 0 {
		s.failed <- err
	}
}

// Failed fires when all listeners of the call have failed, with the error of the last one.
func (s *Serving) Failed() <-chan error { return s.failed }
