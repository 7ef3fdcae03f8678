package registry_test

import (
	"strconv"
	"testing"

	"github.com/goepmd/goepmd/registry"
)

// filled makes a registry of n nodes.
func filled(b *testing.B, n int) *registry.Registry {
	b.Helper()
	r := registry.New(registry.Config{})
	for i := range n {
		register(b, r, registry.Owner(i), otpNode(numbered(i), uint16(i)))
	}
	return r
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := filled(b, n)
			names := make([][]byte, n)
			for i := range names {
				names[i] = []byte(numbered(i))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				keptNode, keptFound = r.Lookup(names[i])
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkNamesKept(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := filled(b, n)
			b.ReportAllocs()
			for b.Loop() {
				keptBytes = r.Names(port)
			}
		})
	}
}

func BenchmarkNamesMade(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := filled(b, n)
			b.ReportAllocs()
			p := uint32(0)
			for b.Loop() {
				p++ // another port makes the list anew
				keptBytes = r.Names(p)
			}
		})
	}
}

func BenchmarkRegisterRelease(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := filled(b, n)
			node, o := otpNode("another", 1), registry.Owner(n)
			b.ReportAllocs()
			for b.Loop() {
				_, keptErr = r.Register(o, node)
				r.Release(o, registry.ReasonClosed)
			}
		})
	}
}

func BenchmarkLookupNothing(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r, name := filled(b, n), []byte("nobody")
			b.ReportAllocs()
			for b.Loop() {
				keptNode, keptFound = r.Lookup(name)
			}
		})
	}
}

func BenchmarkHolder(b *testing.B) {
	r, name := filled(b, 1000), []byte(numbered(500))
	b.ReportAllocs()
	for b.Loop() {
		keptOwner, keptFound = r.Holder(name)
	}
}

func BenchmarkDumpKept(b *testing.B) {
	r := filled(b, 1000)
	r.Dump(port)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes = r.Dump(port)
	}
}

func BenchmarkRegisterTaken(b *testing.B) {
	r, node := filled(b, 1000), otpNode(numbered(500), 1)
	b.ReportAllocs()
	for b.Loop() {
		_, keptErr = r.Register(5000, node)
	}
}

// BenchmarkRegisterNew is names that were never seen: each takes over the record of the
// oldest that is remembered.
func BenchmarkRegisterNew(b *testing.B) {
	r := filled(b, 10)
	all := make([]string, 1<<16)
	for i := range all {
		all[i] = "new" + strconv.Itoa(i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		_, keptErr = r.Register(5000, otpNode(all[i%len(all)], 1))
		r.Release(5000, registry.ReasonClosed)
		i++
	}
}
