package host

import (
	"bytes"
	"errors"
	"fmt"
)

// errMemory: the module told of memory that it does not have.
var errMemory = errors.New("outside the module's memory")

// copyIn copies bytes to memory that the module gives, and says where; 0 is for
// no bytes. m.mu is held.
func (m *Module) copyIn(b []byte) (uint32, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := m.call("epmd_alloc", uint64(len(b)))
	if err != nil {
		return 0, err
	}
	at := uint32(n)
	switch {
	case at == 0:
		return 0, fmt.Errorf("epmd_alloc: %w", StatusFull)
	case !m.memory.Write(at, b):
		return 0, fmt.Errorf("epmd_alloc: %d bytes at %d: %w", len(b), at, errMemory)
	}
	return at, nil
}

// free gives back what copyIn took; m.mu is held.
func (m *Module) free(at uint32) error {
	if at == 0 {
		return nil
	}
	_, err := m.check("epmd_free", uint64(at))
	return err
}

// copyOut copies from the module's memory; m.mu is held.
func (m *Module) copyOut(at, size uint32) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	b, ok := m.memory.Read(at, size)
	if !ok {
		return nil, fmt.Errorf("%d bytes at %d: %w", size, at, errMemory)
	}
	return bytes.Clone(b), nil
}
