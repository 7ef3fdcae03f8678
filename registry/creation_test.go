package registry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

func TestCreationOfANewName(t *testing.T) {
	for _, c := range []struct {
		unix     int64
		creation uint32
	}{
		{0, 4},
		{1, 4},
		{2, 4},
		{3, 4},
		{4, 5},
		{1000, 1001},
		{1_800_000_000, 1_800_000_001},
		{0x7fffffff, 0x80000000},
		{0xfffffffe, 0xffffffff},
		{0xffffffff, 4},
		{0x100000000, 4},
		{0x100000004, 5},
	} {
		r, clock := newRegistry(0)
		clock.set(c.unix)
		require.Equal(t, c.creation, register(t, r, 1, otpNode("a", 1)), "at %d", c.unix)
	}
}

func TestCreationTakesWholeSeconds(t *testing.T) {
	r, clock := newRegistry(0)
	clock.t = time.Unix(1000, 999_999_999)
	require.Equal(t, uint32(1001), register(t, r, 1, otpNode("a", 1)))
}

// Without a clock of its own a registry asks for the time of day.
func TestCreationByTheTimeOfDay(t *testing.T) {
	r := registry.New(registry.Config{})
	before := uint32(time.Now().Unix())
	creation := register(t, r, 1, otpNode("a", 1))
	after := uint32(time.Now().Unix())
	require.GreaterOrEqual(t, creation, before+1)
	require.LessOrEqual(t, creation, after+1)
}

func TestCreationOnReturn(t *testing.T) {
	r, clock := newRegistry(0)
	for i := range uint32(10) {
		require.Equal(t, 1001+i, register(t, r, 1, otpNode("a", 1)))
		if i%2 == 0 {
			r.Release(1, registry.ReasonClosed)
		} else {
			r.Unregister([]byte("a"), registry.ReasonStopped)
		}
		clock.set(5000 + int64(i)) // no time counts but that of the first registration
	}
}

func TestCreationWrapsAround(t *testing.T) {
	r, clock := newRegistry(0)
	clock.set(0xfffffffd)
	for _, want := range []uint32{0xfffffffe, 0xffffffff, 4, 5} {
		require.Equal(t, want, register(t, r, 1, otpNode("a", 1)))
		r.Release(1, registry.ReasonClosed)
	}
}

// What a node is told hangs on its highest version alone, the counter goes on.
func TestCreationByHighest(t *testing.T) {
	r, clock := newRegistry(0)
	clock.set(2999)
	for _, c := range []struct {
		highest  uint16
		counter  uint32
		creation uint32
	}{
		{6, 3000, 3000},
		{5, 3001, 2},
		{5, 3002, 3},
		{5, 3003, 1},
		{0, 3004, 2},
		{7, 3005, 3005},
		{65535, 3006, 3006},
		{1, 3007, 2},
	} {
		n := otpNode("a", 1)
		n.Highest = c.highest
		require.Equal(t, c.creation, register(t, r, 1, n))
		require.Equal(t, c.counter, r.Snapshot().Nodes[0].Counter)
		require.Equal(t, c.creation, r.Snapshot().Nodes[0].Creation)
		r.Release(1, registry.ReasonClosed)
	}
}

func TestCreationOf16BitsAtTheExtremes(t *testing.T) {
	for unix, creation := range map[int64]uint32{
		0:          2, // counter 4
		0xfffffffd: 3, // counter 0xfffffffe
		0xfffffffe: 1, // counter 0xffffffff
		0xffffffff: 2, // counter 4
	} {
		r, clock := newRegistry(0)
		clock.set(unix)
		n := otpNode("a", 1)
		n.Highest = 5
		require.Equal(t, creation, register(t, r, 1, n), "at %d", unix)
	}
}

func TestCreationAfterARefusal(t *testing.T) {
	r, clock := newRegistry(0)
	require.Equal(t, uint32(1001), register(t, r, 1, otpNode("a", 1)))
	for range 3 {
		requireRefused(t, r, 2, otpNode("a", 2), registry.RefusedTaken)
	}
	r.Release(1, registry.ReasonClosed)
	tooMuch := wire.Node{Name: "a", Extra: strings.Repeat("e", wire.MaxExtraBytes+1)}
	requireRefused(t, r, 1, tooMuch, registry.RefusedExtraBytes)
	require.Equal(t, uint32(1002), register(t, r, 1, otpNode("a", 1)))

	// A name that was only ever refused is one that was never seen.
	tooMuch.Name = "b"
	requireRefused(t, r, 2, tooMuch, registry.RefusedExtraBytes)
	clock.set(2000)
	require.Equal(t, uint32(2001), register(t, r, 2, otpNode("b", 2)))
}
