package state

import (
	"bytes"
	"fmt"

	"github.com/goepmd/goepmd/registry"
)

// AppendGiven appends to a state in a file that a name was given a creation since: for
// DecodeGiven.
func AppendGiven(b []byte, e registry.Entry) []byte { return appendRecord(b, e, true) }

// DecodeGiven reads a state as Decode does, and what AppendGiven has written behind it: no
// counter in the state is below what was given. Such a state is not Final. Of the last record
// a part may be missing; then it counts for nothing.
func DecodeGiven(b []byte) (State, error) {
	version, length, _, err := decodeHeader(b)
	if err != nil {
		return State{}, err
	}
	whole := headerLen + int(min(length, uint64(len(b)-headerLen)))
	s, err := Decode(b[:whole])
	if err != nil {
		return State{}, err
	}
	given, err := readGiven(b[whole:], version)
	if err != nil || len(given) == 0 {
		return s, err
	}
	s.Final = false
	for _, entries := range [][]registry.Entry{s.Names.Nodes, s.Names.Old} {
		for i := range entries {
			e := &entries[i]
			e.Counter = max(e.Counter, given[e.Node.Name].Counter)
			delete(given, e.Node.Name)
		}
	}
	for _, e := range given {
		s.Names.Old = append(s.Names.Old, e)
	}
	return s, nil
}

// readGiven reads the records, the last one of each name.
func readGiven(b []byte, version uint16) (map[string]registry.Entry, error) {
	given := make(map[string]registry.Entry)
	for r := bytes.NewReader(b); ; {
		payload, err := readRecord(r)
		if payload == nil || err != nil {
			return given, err
		}
		f := fields{version: version, b: payload}
		f.bool()
		e := f.entry()
		if f.err != nil || len(f.b) > 0 {
			return nil, fmt.Errorf("%w: what was given since it was saved", ErrDamaged)
		}
		if e.Counter >= given[e.Node.Name].Counter {
			given[e.Node.Name] = e
		}
	}
}
