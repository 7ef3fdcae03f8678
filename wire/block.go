package wire

import (
	"encoding/binary"
	"slices"
)

var (
	errBlockShort = &Error{MessageNames3Resp, FieldBlock, FaultIncomplete}
	errBlockBad   = &Error{MessageNames3Resp, FieldBlock, FaultSyntax}
)

// Blocks is the answer to a NAMES3_REQ or a DUMP3_REQ in the making: lines, cut
// into blocks of at most MaxBlockLen bytes, each of which ends with a line. Make it
// with [AppendBlocks], add lines, and call End.
//
//	length:16 more:8 port:32 lines    the first block
//	length:16 more:8 lines            those after it
//
// More is 0 in the last one and 1 in the others. The daemon's own port stands in
// the first alone.
type Blocks struct {
	b    []byte
	head int // where the block begins that is being filled
}

// AppendBlocks begins a list behind b, for a daemon on the given port.
func AppendBlocks(b []byte, port uint32) Blocks {
	l := Blocks{b: b, head: len(b)}
	l.b = append(l.b, 0, 0, 0)
	l.b = AppendListPort(l.b, port)
	return l
}

// blockHeadLen is the length of a block besides its lines, without a port.
const blockHeadLen = HeaderLen + 1

// cut sees to it that the line that begins at the given place, the last one, is in a
// block with room for it.
func (l *Blocks) cut(line int) {
	if len(l.b)-l.head <= MaxBlockLen {
		return
	}
	l.close(line, 1)
	l.head = line
	l.b = slices.Insert(l.b, line, 0, 0, 0)
}

// close fills in the head of the block that ends at the given place.
func (l *Blocks) close(end int, more byte) {
	binary.BigEndian.PutUint16(l.b[l.head:], uint16(end-l.head-HeaderLen))
	l.b[l.head+HeaderLen] = more
}

// End gives the whole list, behind what AppendBlocks was given.
func (l *Blocks) End() []byte {
	l.close(len(l.b), 0)
	return l.b
}

// Block is one block of a list. Lines borrow from what was parsed.
type Block struct {
	// More says that another block follows.
	More bool
	// Port is the daemon's own, in the first block; else 0.
	Port  uint32
	Lines []byte
}

// ParseBlock reads a block from the start of b, the first of its list or a later
// one, and says how many bytes it takes up. It fails with [FaultIncomplete], or
// [FaultSyntax] for one that is too short for what it must hold or does not say 0
// or 1.
func ParseBlock(b []byte, first bool) (k Block, n int, err error) {
	if len(b) < HeaderLen {
		return k, 0, errBlockShort
	}
	length := int(binary.BigEndian.Uint16(b))
	n = HeaderLen + length
	least := 1
	if first {
		least += 4
	}
	switch {
	case length < least, len(b) > HeaderLen && b[HeaderLen] > 1:
		return k, 0, errBlockBad
	case len(b) < n:
		return k, 0, errBlockShort
	}
	k.More, k.Lines = b[HeaderLen] == 1, b[blockHeadLen:n:n]
	if first {
		k.Port, k.Lines = binary.BigEndian.Uint32(k.Lines), k.Lines[4:]
	}
	return k, n, nil
}
