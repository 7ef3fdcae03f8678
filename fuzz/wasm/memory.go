//go:build wasip1

package main

import "unsafe"

const (
	// maxAlloc is the most bytes of one allocation: more than any chunk that a
	// session looks at.
	maxAlloc = 1 << 16
	// maxMemory is the most bytes of all allocations.
	maxMemory = 1 << 24
)

//go:wasmexport epmd_alloc
func alloc(size int32) uint32 {
	if size < 1 || size > maxAlloc || module.size+uint64(size) > maxMemory {
		return 0
	}
	b := make([]byte, size)
	p := address(b)
	module.memory[p] = b // it stays where it is for as long as it is in here
	module.size += uint64(size)
	return p
}

//go:wasmexport epmd_free
func free(p uint32) status {
	b, known := module.memory[p]
	if !known {
		return statusPointer
	}
	delete(module.memory, p)
	module.size -= uint64(len(b))
	return 0
}

// input is what the host has written to memory of its own.
func input(p uint32, size int32) ([]byte, status) {
	b, known := module.memory[p]
	switch {
	case size < 0:
		return nil, statusRange
	case size == 0:
		return nil, 0
	case !known || int(size) > len(b):
		return nil, statusPointer
	}
	return b[:size], 0
}

// address is where a slice's elements are in the module's memory; 0 for none.
func address[T any](s []T) uint32 {
	if len(s) == 0 {
		return 0
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(s))))
}
