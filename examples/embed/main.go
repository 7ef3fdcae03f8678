// Command embed runs an EPMD inside a Go program and prints what happens to the
// names in it, until it is interrupted:
//
//	go run ./examples/embed -port 24369
//	ERL_EPMD_PORT=24369 erl -sname alpha -start_epmd false
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
)

func main() {
	port := flag.Uint("port", 24369, "TCP port to listen on")
	flag.Parse()
	if err := run(uint16(*port)); err != nil {
		log.Fatal(err)
	}
}

func run(port uint16) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	server := &epmd.Server{Port: port}
	listeners, err := server.Listen(ctx)
	if errors.Is(err, epmd.ErrAlreadyRunning) {
		return fmt.Errorf("%w; use that one, or give another -port", err)
	} else if err != nil {
		return err
	}
	for _, l := range listeners {
		fmt.Println("listening on", l.Addr())
	}

	events, _ := server.View().Subscribe(1024)
	defer events.Close()
	go func() {
		for e := range events.C {
			printEvent(e)
		}
	}()
	err = server.ServeContext(ctx, listeners...)
	if errors.Is(err, epmd.ErrServerClosed) || errors.Is(err, epmd.ErrKilled) {
		return nil
	}
	return err
}

func printEvent(e registry.Event) {
	at := e.Time.Format(time.TimeOnly)
	switch e.Kind {
	case registry.Registered:
		fmt.Printf("%s + %s at port %d, creation %d\n", at, e.Node.Name, e.Node.Port, e.Creation)
	case registry.Unregistered:
		fmt.Printf("%s - %s (%v)\n", at, e.Node.Name, e.Reason)
	case registry.Refused:
		fmt.Printf("%s ! %s was refused: %v\n", at, e.Node.Name, e.Refusal.Error())
	}
}
