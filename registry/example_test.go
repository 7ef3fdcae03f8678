package registry_test

import (
	"fmt"
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

func Example() {
	r := registry.New(registry.Config{
		Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, // leave it out for the time of day
	})

	// The owner is whatever tells one connection from another.
	const connection registry.Owner = 7
	node := wire.Node{Name: "foo", Port: 1000, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
	creation, err := r.Register(connection, node)
	fmt.Println(creation, err)

	_, err = r.Register(8, node)
	fmt.Println(err)

	found, ok := r.Lookup([]byte("foo"))
	fmt.Println(found.Port, ok)
	fmt.Printf("%q\n", r.Names(wire.DefaultPort))

	// The connection closes.
	r.Release(connection, registry.ReasonClosed)
	_, ok = r.Lookup([]byte("foo"))
	fmt.Println(ok)
	fmt.Printf("%q\n", r.Dump(wire.DefaultPort))
	// Output:
	// 1800000001 <nil>
	// the name is already registered
	// 1000 true
	// "\x00\x00\x11\x11name foo at port 1000\n"
	// false
	// "\x00\x00\x11\x11old/unused name <foo>, port = 1000, fd = 7 \n\x00"
}

// A subscriber begins with what is there and goes on with what happens.
func ExampleRegistry_Subscribe() {
	r := registry.New(registry.Config{Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	_, _ = r.Register(1, wire.Node{Name: "foo", Port: 1000, Highest: 6})

	events, before := r.Subscribe(16)
	for _, e := range before.Nodes {
		fmt.Println("is registered:", e.Node.Name)
	}
	_, _ = r.Register(2, wire.Node{Name: "bar", Port: 1001, Highest: 6})
	_, _ = r.Register(3, wire.Node{Name: "foo", Port: 1002, Highest: 6})
	r.Release(1, registry.ReasonClosed)
	events.Close()
	for e := range events.C {
		fmt.Println(e.Seq, e.Kind, e.Node.Name)
	}
	// Output:
	// is registered: foo
	// 2 registered bar
	// 3 refused foo
	// 4 unregistered foo
}
