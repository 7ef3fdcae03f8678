package fuzz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// CheckState reads any bytes as a state, and as the body of one that is not damaged:
// what can be read is written again so that it reads the same, and a registry made
// of it is the same once more.
func CheckState(b []byte) error {
	if _, err := state.Decode(b); err != nil && !errors.Is(err, state.ErrDamaged) && !errors.Is(err, state.ErrVersion) {
		return fmt.Errorf("an error of its own: %w", err)
	}
	s, err := state.Decode(SealState(b))
	if err != nil {
		if !errors.Is(err, state.ErrDamaged) {
			return fmt.Errorf("an error of its own: %w", err)
		}
		return nil
	}
	once := state.Append(nil, s)
	again, err := state.Decode(once)
	if err != nil {
		return fmt.Errorf("what was written cannot be read: %w", err)
	}
	if twice := state.Append(nil, again); !bytes.Equal(once, twice) {
		return fmt.Errorf("%q is written as %q and then as %q", b, once, twice)
	}
	r := registry.New(registry.Config{})
	if err := r.Restore(s.Names); err != nil {
		if !errors.Is(err, registry.ErrSnapshot) {
			return fmt.Errorf("an error of its own: %w", err)
		}
		return nil
	}
	names := state.Append(nil, state.State{Names: r.Snapshot()})
	next := registry.New(registry.Config{})
	if err := next.Restore(r.Snapshot()); err != nil {
		return fmt.Errorf("a registry's own snapshot: %w", err)
	}
	if more := state.Append(nil, state.State{Names: next.Snapshot()}); !bytes.Equal(names, more) {
		return fmt.Errorf("a registry of %q becomes one of %q", names, more)
	}
	return nil
}

// SealState gives a body the head of a state that is not damaged.
func SealState(body []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte("GOEPMD"), state.Version)
	b = binary.BigEndian.AppendUint64(b, uint64(len(body)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(b, body...)
}

// edgeStates are the bodies of states: one with something in each field, and that
// cut at many places.
func edgeStates() [][]byte {
	at := time.Unix(1700000000, 1)
	node := func(name string) wire.Node {
		return wire.Node{Name: name, Port: 65535, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5, Extra: "\x00\xff"}
	}
	body := func(s state.State) []byte { return state.Append(nil, s)[len(SealState(nil)):] }
	all := body(state.State{
		Saved: at, Final: true,
		Names: registry.Snapshot{
			Seq: 1 << 40, Floor: 1 << 31, Gone: 1<<31 + 1, LastOwner: 1<<24 | 2,
			Nodes: []registry.Entry{
				{Node: node("é"), Owner: 1<<24 | 1, Counter: 1<<32 - 1, Since: at},
				{Node: node("b"), Owner: 1<<24 | 1, Counter: 4, Since: at},
			},
			Old: []registry.Entry{{Node: node("t"), Owner: 4, Counter: 6, Since: at, Transports: []registry.HeldTransport{
				{Transport: wire.Transport{Name: "inet_tcp", Port: 1}, Owner: 4, Since: at},
				{Transport: wire.Transport{Name: "uds", Port: 2}, Owner: 1, Since: at, Alive2: true},
			}}, {Node: wire.Node{Name: "old"}, Owner: 3, Counter: 5, Since: at}},
		},
		Listeners: 2,
		Conns: []state.Conn{
			{Owner: 1<<24 | 1, Remote: netip.MustParseAddrPort("127.0.0.1:1"), Phase: state.Registered, Out: []byte("y")},
			{Owner: 2, Remote: netip.MustParseAddrPort("[fe80::1%lo]:1"), Phase: state.Reading, In: []byte{0, 9}, Age: time.Second},
		},
	})
	bodies := [][]byte{all, body(state.State{Saved: at})}
	for n := 0; n < len(all); n += max(len(all)/24, 1) {
		bodies = append(bodies, all[:n])
	}
	return bodies
}
