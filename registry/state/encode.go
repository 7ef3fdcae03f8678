package state

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/goepmd/goepmd/registry"
)

// Version is the newest version that this package reads, and the one that it writes.
//
// Version 1 had no Gone, no LastOwner, and no Alive2 of a transport.
const Version = 2

// The head of a state: mark, version:16, length of the body:64, CRC-32C of the
// body:32, all big-endian.
const (
	mark      = "GOEPMD"
	headerLen = len(mark) + 2 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends a state.
func Append(b []byte, s State) []byte {
	start := len(b)
	b = append(b, mark...)
	b = binary.BigEndian.AppendUint16(b, Version)
	b = append(b, make([]byte, 8+4)...)
	b = appendBody(b, s)
	body := b[start+headerLen:]
	binary.BigEndian.PutUint64(b[start+len(mark)+2:], uint64(len(body)))
	binary.BigEndian.PutUint32(b[start+len(mark)+10:], crc32.Checksum(body, castagnoli))
	return b
}

func appendBody(b []byte, s State) []byte {
	b = appendTime(b, s.Saved)
	b = appendBool(b, s.Final)
	b = binary.AppendUvarint(b, s.Names.Seq)
	b = binary.BigEndian.AppendUint32(b, s.Names.Floor)
	b = binary.BigEndian.AppendUint32(b, s.Names.Gone)
	b = binary.AppendUvarint(b, uint64(s.Names.LastOwner))
	for _, entries := range [][]registry.Entry{s.Names.Nodes, s.Names.Old} {
		b = binary.AppendUvarint(b, uint64(len(entries)))
		for _, e := range entries {
			b = appendEntry(b, e)
		}
	}
	b = binary.AppendUvarint(b, uint64(s.Listeners))
	b = binary.AppendUvarint(b, uint64(len(s.Conns)))
	for _, c := range s.Conns {
		b = appendConn(b, c)
	}
	return b
}
