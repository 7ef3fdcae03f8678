package registry_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// What the functions return is kept here, so that no call is optimised away.
var (
	keptNode  wire.Node
	keptOwner registry.Owner
	keptBytes []byte
	keptLen   int
	keptFound bool
	keptErr   error
)

func TestReadingAllocatesNothing(t *testing.T) {
	r, _ := newRegistry(0)
	long := strings.Repeat("\U0001f600", wire.MaxNameChars)
	register(t, r, 1, wire.Node{Name: long, Extra: strings.Repeat("e", wire.MaxExtraBytes)})
	register(t, r, 2, otpNode("old", 2))
	r.Release(2, registry.ReasonClosed)
	known, old, unknown := []byte(long), []byte("old"), []byte(long[4:])
	tooLong := long + "a"
	r.Names(port)
	r.Dump(port)
	for what, f := range map[string]func(){
		"Lookup":                       func() { keptNode, keptFound = r.Lookup(known) },
		"Lookup of a remembered name":  func() { keptNode, keptFound = r.Lookup(old) },
		"Lookup of nothing":            func() { keptNode, keptFound = r.Lookup(unknown) },
		"Holder":                       func() { keptOwner, keptFound = r.Holder(known) },
		"Holder of nothing":            func() { keptOwner, keptFound = r.Holder(unknown) },
		"Names, kept":                  func() { keptBytes = r.Names(port) },
		"Dump, kept":                   func() { keptBytes = r.Dump(port) },
		"Len":                          func() { keptLen = r.Len() },
		"Check":                        func() { keptErr = registry.Check(long, "") },
		"Check, refused":               func() { keptErr = registry.Check(tooLong, "") },
		"Unregister of nothing":        func() { r.Unregister(unknown, registry.ReasonStopped) },
		"Release of nobody":            func() { r.Release(9, registry.ReasonClosed) },
		"Register of what is taken":    func() { _, keptErr = r.Register(3, otpNode(long, 1)) },
		"Register of what is not good": func() { _, keptErr = r.Register(3, otpNode("\xff", 1)) },
	} {
		assert.Zero(t, testing.AllocsPerRun(100, f), what)
	}
}

// TestComingAndGoingAllocatesNothing: the registry's records are used again, for names
// that are remembered and, once as many are as may be, for those never seen.
func TestComingAndGoingAllocatesNothing(t *testing.T) {
	const remember = 10
	r, _ := newRegistry(remember)
	names := make([]string, 1000)
	for i := range names {
		names[i] = numbered(i)
	}
	come := func(i int) {
		_, keptErr = r.Register(1, otpNode(names[i], 1))
		r.Release(1, registry.ReasonClosed)
	}
	for i := range 2 * remember {
		come(i)
	}
	next := 2 * remember
	assert.Zero(t, testing.AllocsPerRun(100, func() { come(2*remember - 1) }), "a remembered name")
	assert.Zero(t, testing.AllocsPerRun(100, func() { come(next); next++ }), "a new name")
}
