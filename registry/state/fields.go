package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// The least that an entry and a connection take: what a count claims beyond what
// there are bytes for, is not made room for.
const (
	minEntryLen     = 1 + 2 + 1 + 1 + 2 + 2 + 1 + 1 + 1 + 4 + 8
	minTransportLen = 1 + 2 + 1 + 8
	minConnLen      = 1 + 1 + 1 + 1 + 1 + 1 + 8
)

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixNano()))
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendBytes[T string | []byte](b []byte, v T) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendNode(b []byte, n wire.Node) []byte {
	b = appendBytes(b, n.Name)
	b = binary.BigEndian.AppendUint16(b, n.Port)
	b = append(b, n.Type, n.Protocol)
	b = binary.BigEndian.AppendUint16(b, n.Highest)
	b = binary.BigEndian.AppendUint16(b, n.Lowest)
	return appendBytes(b, n.Extra)
}

func appendEntry(b []byte, e registry.Entry) []byte {
	b = appendNode(b, e.Node)
	b = binary.AppendUvarint(b, uint64(e.Owner))
	b = binary.AppendUvarint(b, uint64(len(e.Transports)))
	for _, t := range e.Transports {
		b = appendBytes(b, t.Name)
		b = binary.BigEndian.AppendUint16(b, t.Port)
		b = binary.AppendUvarint(b, uint64(t.Owner))
		b = appendTime(b, t.Since)
		b = appendBool(b, t.Alive2)
	}
	b = binary.BigEndian.AppendUint32(b, e.Counter)
	return appendTime(b, e.Since)
}

func appendConn(b []byte, c Conn) []byte {
	b = binary.AppendUvarint(b, uint64(c.Owner))
	remote, err := c.Remote.MarshalBinary()
	if err != nil {
		remote = nil // an AddrPort has no form that fails
	}
	b = appendBytes(b, remote)
	b = append(b, byte(c.Phase))
	b = appendBool(b, c.More)
	b = appendBytes(b, c.In)
	b = appendBytes(b, c.Out)
	return binary.BigEndian.AppendUint64(b, uint64(c.Age))
}

var (
	errShort  = errors.New("it ends too early")
	errNumber = errors.New("a number is too large")
)

// fields reads one field after another; after the first error all are zero.
type fields struct {
	version uint16 // of the state that they are of
	b       []byte
	err     error
}

func (f *fields) take(n uint64) []byte {
	if n > uint64(len(f.b)) {
		f.fail(errShort)
		return nil
	}
	v := f.b[:n:n]
	f.b = f.b[n:]
	return v
}

// fail keeps the first error, and leaves nothing to read.
func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
	f.b = nil
}

func (f *fields) byte() byte {
	if v := f.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (f *fields) bool() bool {
	v := f.byte()
	if v > 1 {
		f.fail(errNumber)
	}
	return v == 1
}

func (f *fields) uint16() uint16 {
	if v := f.take(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (f *fields) uint32() uint32 {
	if v := f.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (f *fields) uint64() uint64 {
	if v := f.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (f *fields) uvarint() uint64 {
	v, n := binary.Uvarint(f.b)
	switch {
	case n == 0:
		f.fail(errShort)
		return 0
	case n < 0:
		f.fail(errNumber)
		return 0
	}
	f.b = f.b[n:]
	return v
}

func (f *fields) time() time.Time { return time.Unix(0, int64(f.uint64())) }
func (f *fields) string() string  { return string(f.bytes()) }

// bytes reads a length and so many bytes; none is nil.
func (f *fields) bytes() []byte {
	if v := f.take(f.uvarint()); len(v) > 0 {
		return v
	}
	return nil
}

// count reads how many things follow that take so many bytes at least.
func (f *fields) count(least int) int {
	n := f.uvarint()
	if n > uint64(len(f.b)/least) {
		f.fail(errShort)
		return 0
	}
	return int(n)
}

func (f *fields) node() wire.Node {
	return wire.Node{
		Name: f.string(), Port: f.uint16(), Type: f.byte(), Protocol: f.byte(),
		Highest: f.uint16(), Lowest: f.uint16(), Extra: f.string(),
	}
}

func (f *fields) entries() []registry.Entry {
	es := make([]registry.Entry, 0, f.count(minEntryLen))
	for range cap(es) {
		es = append(es, f.entry())
	}
	return es
}

func (f *fields) entry() registry.Entry {
	e := registry.Entry{Node: f.node(), Owner: registry.Owner(f.uvarint())}
	for range f.count(minTransportLen) {
		t := registry.HeldTransport{Transport: wire.Transport{Name: f.string(), Port: f.uint16()}}
		t.Owner, t.Since = registry.Owner(f.uvarint()), f.time()
		if f.version > 1 {
			t.Alive2 = f.bool()
		}
		e.Transports = append(e.Transports, t)
	}
	if len(e.Transports) > 0 {
		e.Node.Transport = e.Transports[0].Name
	}
	e.Counter, e.Since = f.uint32(), f.time()
	return e
}

func (f *fields) conns() []Conn {
	cs := make([]Conn, 0, f.count(minConnLen))
	for range cap(cs) {
		cs = append(cs, f.conn())
	}
	return cs
}

func (f *fields) conn() Conn {
	c := Conn{Owner: registry.Owner(f.uvarint())}
	if remote := f.bytes(); len(remote) > 0 {
		var a netip.AddrPort
		if err := a.UnmarshalBinary(remote); err != nil {
			f.fail(fmt.Errorf("an address: %w", err))
		}
		c.Remote = a
	}
	c.Phase, c.More, c.In, c.Out, c.Age = Phase(f.byte()), f.bool(), f.bytes(), f.bytes(), time.Duration(f.uint64())
	if f.err == nil && (c.Phase == 0 || c.Phase >= numPhases) {
		f.fail(fmt.Errorf("%s", c.Phase))
	}
	return c
}
