//go:build wasip1

package main

import (
	"unsafe"

	"github.com/goepmd/goepmd/fuzz/machine"
)

// answer is what a call tells besides its status, and keeps in the module's memory
// until the next call on the same daemon.
type answer struct {
	data  []byte
	error []byte
	ids   []machine.ConnID
	head  record
}

// record is where a host finds it; nine numbers of 32 bits, the lowest byte
// first.
type record struct {
	verdict, used, tag uint32
	data, dataLen      uint32
	error, errorLen    uint32
	ids, idsLen        uint32
}

// tell fills in the record.
func (a *answer) tell() {
	a.head.data, a.head.dataLen = address(a.data), uint32(len(a.data))
	a.head.error, a.head.errorLen = address(a.error), uint32(len(a.error))
	a.head.ids, a.head.idsLen = address(a.ids), uint32(len(a.ids))
}

//go:wasmexport epmd_result
func result(d int32) uint32 {
	dm := module.daemons[d]
	if dm == nil {
		return 0
	}
	return uint32(uintptr(unsafe.Pointer(&dm.answer.head)))
}
