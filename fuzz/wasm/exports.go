//go:build wasip1

package main

import (
	"encoding/json"
	"errors"
	"math"

	"github.com/goepmd/goepmd/fuzz/machine"
)

//go:wasmexport epmd_daemon_new
func daemonNew(port, flags, packetTimeout, remember int32, now int64) int32 {
	switch {
	case port < 0 || port > math.MaxUint16, flags&^flagsKnown != 0:
		return statusRange
	case len(module.daemons) >= maxDaemons, module.last == math.MaxInt32:
		return statusFull
	}
	m, err := machine.New(machine.Options{
		Port:            uint16(port),
		Relaxed:         flags&flagRelaxed != 0,
		TimeoutRestarts: flags&flagTimeoutRestarts != 0,
		MultiTransport:  flags&flagMultiTransport != 0,
		PacketTimeout:   packetTimeout,
		Remember:        remember,
		Now:             now,
	})
	if err != nil {
		return code(err)
	}
	module.last++
	module.daemons[module.last] = &daemon{machine: m}
	return module.last
}

//go:wasmexport epmd_daemon_delete
func daemonDelete(d int32) status {
	if module.daemons[d] == nil {
		return statusDaemon
	}
	delete(module.daemons, d)
	return 0
}

//go:wasmexport epmd_open
func open(d, local int32) int32 {
	dm := begin(d)
	switch {
	case dm == nil:
		return statusDaemon
	case local != 0 && local != 1:
		return statusRange
	}
	id, err := dm.machine.Open(local == 1)
	if err != nil {
		return code(err)
	}
	return int32(id)
}

//go:wasmexport epmd_want
func want(d, c int32) int32 {
	dm := begin(d)
	if dm == nil {
		return statusDaemon
	}
	n, err := dm.machine.Want(machine.ConnID(c))
	if err != nil {
		return code(err)
	}
	return int32(n)
}

//go:wasmexport epmd_feed
func feed(d, c int32, chunk uint32, size int32) int32 {
	dm := begin(d)
	if dm == nil {
		return statusDaemon
	}
	b, bad := input(chunk, size)
	if bad != 0 {
		return bad
	}
	res, err := dm.machine.Feed(machine.ConnID(c), b)
	if err != nil {
		return code(err)
	}
	dm.answer = answer{data: res.Reply, error: []byte(res.Error), ids: res.Evicted}
	dm.answer.head.verdict = uint32(res.Verdict)
	dm.answer.head.used = uint32(res.Used)
	dm.answer.head.tag = uint32(res.Tag)
	dm.answer.tell()
	return int32(res.Verdict)
}

//go:wasmexport epmd_end
func end(d, c int32) status {
	dm := begin(d)
	if dm == nil {
		return statusDaemon
	}
	if err := dm.machine.End(machine.ConnID(c)); err != nil {
		return code(err)
	}
	return 0
}

//go:wasmexport epmd_advance
func advance(d int32, ms int64) int32 {
	dm := begin(d)
	if dm == nil {
		return statusDaemon
	}
	late, err := dm.machine.Advance(ms)
	if err != nil {
		return code(err)
	}
	dm.answer.ids = late
	dm.answer.tell()
	return int32(len(late))
}

//go:wasmexport epmd_state
func state(d int32) int32 {
	dm := begin(d)
	if dm == nil {
		return statusDaemon
	}
	s, err := dm.machine.State()
	if err != nil {
		return code(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain values always have a form in JSON
	}
	dm.answer.data = b
	dm.answer.tell()
	return int32(len(b))
}

// begin begins a call on a daemon: the answer to the last one is gone.
func begin(d int32) *daemon {
	dm := module.daemons[d]
	if dm != nil {
		dm.answer = answer{}
	}
	return dm
}

// code is the status that an error of a machine is told as.
func code(err error) status {
	switch {
	case errors.Is(err, machine.ErrConn):
		return statusConn
	case errors.Is(err, machine.ErrStopped):
		return statusStopped
	case errors.Is(err, machine.ErrFull):
		return statusFull
	}
	return statusRange // machine.ErrTime
}
