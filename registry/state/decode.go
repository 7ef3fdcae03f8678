package state

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/goepmd/goepmd/registry"
)

// Why bytes are no state that can be used.
var (
	// ErrDamaged: they are not what Append wrote.
	ErrDamaged = errors.New("state: damaged")
	// ErrVersion: a newer version wrote them. Use a program that is as new.
	ErrVersion = errors.New("state: of a version that is too new")
)

// Decode reads a state, which must fill b. It borrows In and Out from b. It takes
// no more memory than a few times the length of b, whatever stands there. Its error
// is ErrDamaged or ErrVersion.
func Decode(b []byte) (State, error) {
	version, length, sum, err := decodeHeader(b)
	if err != nil {
		return State{}, err
	}
	body := b[headerLen:]
	switch {
	case uint64(len(body)) != length:
		return State{}, fmt.Errorf("%w: %d bytes where there should be %d", ErrDamaged, len(body), length)
	case crc32.Checksum(body, castagnoli) != sum:
		return State{}, fmt.Errorf("%w: the checksum is wrong", ErrDamaged)
	}
	return decodeBody(version, body)
}

// decodeHeader reads the head: the version, the length of the body and its checksum.
func decodeHeader(b []byte) (version uint16, length uint64, sum uint32, err error) {
	switch {
	case len(b) < headerLen:
		return 0, 0, 0, fmt.Errorf("%w: only %d bytes", ErrDamaged, len(b))
	case string(b[:len(mark)]) != mark:
		return 0, 0, 0, fmt.Errorf("%w: it does not begin as one", ErrDamaged)
	}
	f := fields{b: b[len(mark):]}
	version = f.uint16()
	length, sum = f.uint64(), f.uint32()
	switch {
	case version == 0:
		return 0, 0, 0, fmt.Errorf("%w: version 0", ErrDamaged)
	case version > Version:
		return 0, 0, 0, fmt.Errorf("%w: version %d, and this program reads up to %d", ErrVersion, version, Version)
	}
	return version, length, sum, nil
}

// Begins says whether a file begins as a state does. Whether the rest of it is good, Decode
// says. Its error is ErrVersion, or that of the file.
func Begins(f io.ReaderAt) (bool, error) {
	head := make([]byte, headerLen)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("state: %w", err)
	}
	if !strings.HasPrefix(string(head[:n]), mark) {
		return false, nil
	}
	if _, _, _, err := decodeHeader(head[:n]); errors.Is(err, ErrVersion) {
		return true, err
	}
	return true, nil
}

func decodeBody(version uint16, body []byte) (State, error) {
	f := fields{version: version, b: body}
	s := State{Saved: f.time(), Final: f.bool()}
	s.Names.Seq, s.Names.Floor = f.uvarint(), f.uint32()
	if version > 1 {
		s.Names.Gone, s.Names.LastOwner = f.uint32(), registry.Owner(f.uvarint())
	}
	s.Names.Nodes, s.Names.Old = f.entries(), f.entries()
	listeners := f.uvarint()
	if listeners > maxListeners {
		f.fail(errNumber)
	}
	s.Listeners = int(listeners)
	s.Conns = f.conns()
	switch {
	case f.err != nil:
		return State{}, fmt.Errorf("%w: %w", ErrDamaged, f.err)
	case len(f.b) > 0:
		return State{}, fmt.Errorf("%w: %d bytes more than it should have", ErrDamaged, len(f.b))
	}
	return s, nil
}

// maxListeners is more than anybody has.
const maxListeners = 1 << 16

// Read reads a state from a stream, of at most so many bytes in all, and not a byte
// beyond it. Its error is ErrDamaged, ErrVersion, or that of the stream.
func Read(r io.Reader, most int64) (State, error) {
	head := make([]byte, headerLen)
	if _, err := io.ReadFull(r, head); err != nil {
		return State{}, fmt.Errorf("state: %w", err)
	}
	_, length, _, err := decodeHeader(head)
	switch {
	case err != nil:
		return State{}, err
	case length > uint64(max(most-int64(headerLen), 0)):
		return State{}, fmt.Errorf("%w: %d bytes, at most %d", ErrDamaged, length, most)
	}
	// It grows as the bytes come: what is promised and does not come takes no memory.
	body, err := io.ReadAll(io.LimitReader(r, int64(length)))
	if err != nil {
		return State{}, fmt.Errorf("state: %w", err)
	}
	return Decode(append(head, body...))
}
