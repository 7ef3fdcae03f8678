package state

import (
	"encoding/binary"
	"hash/crc32"
)

// SetJournalVersion changes the version in the head of a journal.
func SetJournalVersion(head []byte, v byte) {
	head[len(journalMark)] = v
	binary.BigEndian.PutUint32(head[headLen-4:], crc32.Checksum(head[:headLen-4], castagnoli))
}
