//go:build wasip1

package main

import "github.com/goepmd/goepmd/fuzz/machine"

// abiVersion goes up when a host that obeys README.md would have to change.
const abiVersion = 1

// status is what most functions return: a number from 0, or one of these.
type status = int32

const (
	statusDaemon  status = -1 // no such daemon
	statusConn    status = -2 // no such connection
	statusPointer status = -3 // not memory of epmd_alloc, or more than that
	statusRange   status = -4 // an argument is out of range
	statusStopped status = -5 // the daemon was ended by a KILL_REQ
	statusFull    status = -6 // too many daemons or connections, or too much memory
)

// flags of epmd_daemon_new.
const (
	flagRelaxed         = 1 << 0
	flagTimeoutRestarts = 1 << 1
	flagMultiTransport  = 1 << 2
	flagsKnown          = flagRelaxed | flagTimeoutRestarts | flagMultiTransport
)

// maxDaemons is how many daemons there may be at a time.
const maxDaemons = 1024

// module is everything that the module holds between two calls. There is one: a
// WebAssembly instance has nowhere else to keep it, as its functions are called
// with numbers only.
var module = struct {
	daemons map[int32]*daemon
	last    int32
	memory  map[uint32][]byte
	size    uint64 // bytes in memory
}{
	daemons: make(map[int32]*daemon),
	memory:  make(map[uint32][]byte),
}

// daemon is a machine and the answer to the last call on it.
type daemon struct {
	machine *machine.Machine
	answer  answer
}

//go:wasmexport epmd_abi_version
func version() int32 { return abiVersion }
