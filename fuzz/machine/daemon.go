package machine

// Daemon is what a [Machine] does, wherever it runs: in this program, or as
// WebAssembly. Its methods are those of Machine, and fail with the same errors.
type Daemon interface {
	Open(local bool) (ConnID, error)
	Want(ConnID) (int, error)
	Feed(ConnID, []byte) (Result, error)
	End(ConnID) error
	Advance(ms int64) ([]ConnID, error)
	State() (State, error)
	// Close frees the daemon.
	Close() error
}

// Start starts a daemon. [Native] is one.
type Start func(Options) (Daemon, error)

// Native starts a daemon in this program.
func Native(o Options) (Daemon, error) {
	m, err := New(o)
	if err != nil {
		return nil, err // without a typed nil in the interface
	}
	return m, nil
}

// Close does nothing: a machine holds nothing but memory.
func (m *Machine) Close() error { return nil }
