package epmd_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// A program runs the daemon inside itself, or uses the one that runs already.
func ExampleServer() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	server := &epmd.Server{Port: 4369} // the zero value would do the same
	err := server.ListenAndServe(ctx)
	switch {
	case errors.Is(err, epmd.ErrAlreadyRunning):
		fmt.Println("an epmd runs already: its nodes and ours will find each other")
	case errors.Is(err, epmd.ErrServerClosed), errors.Is(err, epmd.ErrKilled):
		fmt.Println("done")
	default:
		log.Fatal(err)
	}
}

// A server on a listener of its own, and a client that registers a node with it.
func ExampleClient() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &epmd.Server{Now: func() time.Time { return time.Unix(1700000000, 0) }}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()

	ctx := context.Background()
	client := &epmd.Client{Addr: listener.Addr().String()}
	registration, err := client.Register(ctx, wire.Node{
		Name: "alpha", Port: 9001, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("creation", registration.Creation())

	node, err := client.Lookup(ctx, "alpha")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(node.Name, "listens on port", node.Port)

	_ = registration.Close() // ends the registration; never fails
	_, err = client.Lookup(ctx, "alpha")
	fmt.Println(errors.Is(err, epmd.ErrNotFound))

	_ = server.Close() // never fails
	fmt.Println(<-ended)
	// Output:
	// creation 1700000001
	// alpha listens on port 9001
	// true
	// epmd: server closed
}

// A program that decides which names may be taken.
func ExampleServer_admitNode() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &epmd.Server{AdmitNode: func(c epmd.Conn, n wire.Node) error {
		if n.Name == "rabbit" && !c.IsLocal() {
			return errors.New("the broker runs on this machine")
		}
		if strings.HasPrefix(n.Name, "test-") {
			return errors.New("no test nodes here")
		}
		return nil
	}}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()

	client := &epmd.Client{Addr: listener.Addr().String()}
	for _, name := range []string{"rabbit", "test-1"} {
		_, err := client.Register(context.Background(), wire.Node{Name: name, Port: 9001, Highest: 6, Lowest: 5})
		fmt.Println(name, errors.Is(err, epmd.ErrRefused))
	}
	fmt.Println(server.Stats().Refusals[registry.RefusedNotAdmitted], "not admitted")

	_ = server.Close() // never fails
	<-ended
	// Output:
	// rabbit false
	// test-1 true
	// 1 not admitted
}

// A program that answers for names which it knows by itself, besides those that nodes
// register.
func ExampleServer_resolve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ports := map[string]uint16{"billing": 9101, "mail": 9102} // not written to any more
	server := &epmd.Server{Resolve: func(name string) (wire.Node, bool) {
		port, known := ports[name]
		return wire.Node{Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}, known
	}}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()

	client := &epmd.Client{Addr: listener.Addr().String()}
	node, err := client.Lookup(context.Background(), "mail")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(node.Name, "listens on port", node.Port)
	_, err = client.Lookup(context.Background(), "shop")
	fmt.Println(errors.Is(err, epmd.ErrNotFound))

	_ = server.Close() // never fails
	<-ended
	// Output:
	// mail listens on port 9102
	// true
}

// A program that runs the server is a node of its own.
func ExampleServer_RegisterLocal() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &epmd.Server{Now: func() time.Time { return time.Unix(1700000000, 0) }}
	creation, release, err := server.RegisterLocal(wire.Node{
		Name: "here", Port: 9001, Type: wire.NodeTypeHidden, Highest: 6, Lowest: 5,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("creation", creation)
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()

	client := &epmd.Client{Addr: listener.Addr().String()}
	node, err := client.Lookup(context.Background(), "here")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(node.Name, "listens on port", node.Port)
	release()
	_, err = client.Lookup(context.Background(), "here")
	fmt.Println(errors.Is(err, epmd.ErrNotFound))

	_ = server.Close() // never fails
	fmt.Println(<-ended)
	// Output:
	// creation 1700000001
	// here listens on port 9001
	// true
	// epmd: server closed
}

// What happens to the names, as it happens.
func ExampleView() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := new(epmd.Server)
	events, now := server.View().Subscribe(100)
	fmt.Println(len(now.Nodes), "nodes")
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()

	client := &epmd.Client{Addr: listener.Addr().String()}
	registration, err := client.Register(context.Background(), wire.Node{Name: "alpha", Port: 9001, Highest: 6, Lowest: 5})
	if err != nil {
		log.Fatal(err)
	}
	event := <-events.C
	fmt.Println(event.Kind, event.Node.Name)
	_ = registration.Close() // never fails
	event = <-events.C
	fmt.Println(event.Kind, event.Node.Name, event.Reason)

	_ = server.Close() // never fails
	<-ended
	// Output:
	// 0 nodes
	// registered alpha
	// unregistered alpha closed
}
