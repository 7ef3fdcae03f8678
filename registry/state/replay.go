package state

import (
	"bufio"
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/goepmd/goepmd/registry"
)

// ReadJournal reads back the names of a journal as they were when its writer
// ended. Of its last record a part may be missing; then it counts for nothing, and
// whoever it was about had not been answered.
//
// Its error is ErrDamaged, also for a file that no journal was ever written to;
// ErrVersion; or that of the file.
func ReadJournal(f File) (registry.Snapshot, error) {
	h, err := newestHead(f)
	if err != nil {
		return registry.Snapshot{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return registry.Snapshot{}, fmt.Errorf("state: cannot read the journal: %w", err)
	}
	if h.base > info.Size() || h.length > info.Size()-h.base {
		return registry.Snapshot{}, fmt.Errorf("%w: the journal ends before its base", ErrDamaged)
	}
	s, err := Read(io.NewSectionReader(f, h.base, h.length), h.length)
	if err != nil {
		return registry.Snapshot{}, err
	}
	r := newReplay(s.Names, int(min(h.remember, math.MaxInt32)))
	records := io.NewSectionReader(f, h.base+h.length, math.MaxInt64-h.base-h.length)
	if err := r.all(bufio.NewReader(records), h.version); err != nil {
		return registry.Snapshot{}, err
	}
	return r.snapshot(), nil
}

// replay is the names while the records of a journal are read, in the order of a
// snapshot.
type replay struct {
	base      registry.Snapshot
	remember  int
	live, old *list.List // of *registry.Entry
	at        map[string]place
}

// place is where a name stands.
type place struct {
	in *list.List
	e  *list.Element
}

func newReplay(s registry.Snapshot, remember int) *replay {
	r := &replay{base: s, remember: remember, live: list.New(), old: list.New(), at: make(map[string]place)}
	for _, part := range []struct {
		in *list.List
		of []registry.Entry
	}{{r.live, s.Nodes}, {r.old, s.Old}} {
		for i := range part.of {
			r.at[part.of[i].Node.Name] = place{part.in, part.in.PushBack(&part.of[i])}
		}
	}
	return r
}

// all reads the records, which a journal of a version has, up to the first that is not
// whole.
func (r *replay) all(records io.Reader, version uint16) error {
	for {
		payload, err := readRecord(records)
		if payload == nil || err != nil {
			return err
		}
		f := fields{version: version, b: payload}
		registered, e := f.bool(), f.entry()
		switch {
		case f.err != nil:
			return fmt.Errorf("%w: a record of the journal: %w", ErrDamaged, f.err)
		case len(f.b) > 0:
			return fmt.Errorf("%w: a record of the journal is too long", ErrDamaged)
		}
		r.apply(&e, registered)
	}
}

// apply has a name be as a record tells.
func (r *replay) apply(e *registry.Entry, registered bool) {
	name := e.Node.Name
	for _, o := range e.Owners() {
		if o < registry.LocalOwners {
			r.base.LastOwner = max(r.base.LastOwner, o)
		}
	}
	at, known := r.at[name]
	switch {
	case known && registered == (at.in == r.live):
		at.e.Value = e
		return
	case known:
		at.in.Remove(at.e)
	case registered && r.old.Len() > r.remember: // it took over the record of another
		r.forget()
	}
	if registered {
		r.at[name] = place{r.live, r.live.PushFront(e)}
	} else {
		r.at[name] = place{r.old, r.old.PushBack(e)}
		if r.old.Len()-registry.RememberBeyond > r.remember {
			r.forget()
		}
	}
}

// forget forgets the oldest of the remembered names.
func (r *replay) forget() {
	oldest := r.old.Remove(r.old.Front()).(*registry.Entry)
	delete(r.at, oldest.Node.Name)
	r.base.Gone = max(r.base.Gone, oldest.Counter)
}

func (r *replay) snapshot() registry.Snapshot {
	entries := func(l *list.List) []registry.Entry {
		out := make([]registry.Entry, 0, l.Len())
		for e := l.Front(); e != nil; e = e.Next() {
			out = append(out, *e.Value.(*registry.Entry))
		}
		return slices.Clip(out)
	}
	s := r.base
	s.Nodes, s.Old = entries(r.live), entries(r.old)
	return s
}

// readRecord is the next record; nil if there is no more.
func readRecord(r io.Reader) ([]byte, error) {
	var h [recordHeadLen]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, endOfRecords(err)
	}
	n := binary.BigEndian.Uint32(h[:])
	if n == 0 || n > maxRecordLen {
		return nil, nil
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, endOfRecords(err)
	}
	if crc32.Checksum(payload, castagnoli) != binary.BigEndian.Uint32(h[4:]) {
		return nil, nil
	}
	return payload, nil
}

func endOfRecords(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return fmt.Errorf("state: cannot read the journal: %w", err)
}
