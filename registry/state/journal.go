package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"time"

	"github.com/goepmd/goepmd/registry"
)

// File is where a journal lives: an *os.File.
type File interface {
	io.ReaderAt
	io.WriterAt
	Stat() (fs.FileInfo, error)
}

// Journal keeps the names of a registry in a file such that they can be read back
// after its writer has ended at any moment. A change costs one write of a few dozen
// bytes. It is for files that outlive a process in memory: it does not sync.
//
// The file holds a base, which is a whole state, and a record of each name as it was
// after each change since. When these have grown longer than several bases, a new base is written further
// on, and one of two heads in turn is made to point to it; so there is always one
// whole. No place is written twice but the heads: what lies before the base is of
// no use any more, and may be given back to the system (Free).
type Journal struct {
	// Free, if set, is called for a part of the file that is not read any more. It
	// may be any part before the current base, more than once.
	Free func(offset, length int64)

	file       File
	remember   int
	generation uint64 // of the head; 0: no base is written yet
	base, end  int64
	most       int64 // end at which a new base is due
	err        error
	retry      time.Time     // when a base is tried again
	pause      time.Duration // from the last try to that; 0 if it succeeded
}

// The heads stand one page apart, the first base after them.
const (
	journalMark = "GOEPMDJ"
	headLen     = len(journalMark) + 1 + 8 + 8 + 8 + 4 + 4 // mark, version, generation, offset, length, remember, checksum
	headStride  = 4096
	firstBase   = 2 * headStride

	recordHeadLen = 4 + 4   // length, checksum
	maxRecordLen  = 1 << 16 // far more than the longest

	// leastLog is how long the records may grow at least before a new base is written.
	leastLog = 1 << 20

	// These are the pauses between bases that cannot be written, each twice the one
	// before: the whole registry is copied for each, while its daemon waits.
	shortestPause = time.Second
	longestPause  = time.Minute
)

// NewJournal continues a journal, or begins one in an empty file. remember is the
// Remember of the registry. It writes nothing until the first change, and then a
// new base: what is in the file stays good until then.
func NewJournal(f File, remember int) *Journal {
	if remember == 0 {
		remember = registry.DefaultRemember
	}
	return &Journal{file: f, remember: max(remember, 0)}
}

// OnEvent is for [registry.Config]: it writes down what has happened. Where that
// fails, the next event writes everything anew; should that fail too, so does the first
// event a second after, then two seconds after, and so on up to a minute. Err tells.
func (j *Journal) OnEvent(e registry.Event, in registry.Inside) {
	if e.Kind == registry.Refused {
		return
	}
	if j.generation == 0 || j.err != nil || j.end > j.most {
		j.tryRebase(e, in)
		return
	}
	entry, registered := in.Entry(e.Node.Name)
	b := appendRecord(make([]byte, 0, 512), entry, registered)
	if _, err := j.file.WriteAt(b, j.end); err != nil {
		j.err = fmt.Errorf("state: cannot write the journal: %w", err)
		return
	}
	j.end += int64(len(b))
}

// appendRecord appends what has become of one name.
func appendRecord(b []byte, e registry.Entry, registered bool) []byte {
	start := len(b)
	b = append(b, make([]byte, recordHeadLen)...)
	b = appendEntry(appendBool(b, registered), e)
	payload := b[start+recordHeadLen:]
	binary.BigEndian.PutUint32(b[start:], uint32(len(payload)))
	binary.BigEndian.PutUint32(b[start+4:], crc32.Checksum(payload, castagnoli))
	return b
}

// Err says why the last change could not be written; nil if it was. It must be
// called from OnEvent's goroutine.
func (j *Journal) Err() error { return j.err }

// tryRebase writes the whole, unless it failed to a moment ago.
func (j *Journal) tryRebase(e registry.Event, in registry.Inside) {
	// A wait that is longer than the pause means that the clock was set back.
	if wait := j.retry.Sub(e.Time); wait > 0 && wait <= j.pause {
		return
	}
	if j.err = j.rebase(e, in.Snapshot()); j.err == nil {
		j.pause = 0
		return
	}
	j.pause = min(max(2*j.pause, shortestPause), longestPause)
	j.retry = e.Time.Add(j.pause)
}

// rebase writes the whole, beyond all that was ever written.
func (j *Journal) rebase(e registry.Event, s registry.Snapshot) error {
	h, err := newestHead(j.file)
	if err != nil && !errors.Is(err, ErrDamaged) { // one that is no good is written over
		return err
	}
	info, err := j.file.Stat()
	if err != nil {
		return fmt.Errorf("state: cannot write the journal: %w", err)
	}
	b := Append(nil, State{Saved: e.Time, Names: s})
	next := head{
		generation: max(h.generation, j.generation) + 1, remember: uint32(min(uint64(j.remember), math.MaxUint32)), version: Version,
		base: roundUp(max(info.Size(), j.end, firstBase)), length: int64(len(b)),
	}
	if _, err := j.file.WriteAt(b, next.base); err != nil {
		return fmt.Errorf("state: cannot write the journal: %w", err)
	}
	if _, err := j.file.WriteAt(next.append(nil), int64(next.generation%2)*headStride); err != nil {
		return fmt.Errorf("state: cannot write the journal: %w", err)
	}
	j.generation, j.base, j.end = next.generation, next.base, next.base+next.length
	j.most = j.end + max(leastLog, 4*next.length)
	if j.Free != nil && j.base > firstBase {
		j.Free(firstBase, j.base-firstBase)
	}
	return nil
}

func roundUp(n int64) int64 { return (n + headStride - 1) / headStride * headStride }

// head says where a base is.
type head struct {
	generation   uint64
	base, length int64
	remember     uint32
	version      uint16
}

func (h head) append(b []byte) []byte {
	start := len(b)
	b = append(b, journalMark...)
	b = append(b, byte(h.version))
	b = binary.BigEndian.AppendUint64(b, h.generation)
	b = binary.BigEndian.AppendUint64(b, uint64(h.base))
	b = binary.BigEndian.AppendUint64(b, uint64(h.length))
	b = binary.BigEndian.AppendUint32(b, h.remember)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// newestHead reads the heads. Its error is ErrDamaged if there is none that is good.
func newestHead(f io.ReaderAt) (head, error) {
	var newest head
	for at := range int64(2) {
		b := make([]byte, headLen)
		if _, err := f.ReadAt(b, at*headStride); err != nil && !errors.Is(err, io.EOF) {
			return head{}, fmt.Errorf("state: cannot read the journal: %w", err)
		}
		h, ok, err := readHead(b)
		if err != nil {
			return head{}, err
		}
		if ok && h.generation > newest.generation {
			newest = h
		}
	}
	if newest.generation == 0 {
		return head{}, fmt.Errorf("%w: the journal has no head", ErrDamaged)
	}
	return newest, nil
}

func readHead(b []byte) (h head, ok bool, err error) {
	sum := crc32.Checksum(b[:headLen-4], castagnoli)
	if string(b[:len(journalMark)]) != journalMark || binary.BigEndian.Uint32(b[headLen-4:]) != sum {
		return head{}, false, nil
	}
	f := fields{b: b[len(journalMark):]}
	version := uint16(f.byte())
	if version > Version {
		return head{}, false, fmt.Errorf("%w: a journal of version %d, and this program reads up to %d", ErrVersion, version, Version)
	}
	h = head{version: version, generation: f.uint64(), base: int64(f.uint64()), length: int64(f.uint64()), remember: f.uint32()}
	return h, h.base >= firstBase && h.length >= 0, nil
}
