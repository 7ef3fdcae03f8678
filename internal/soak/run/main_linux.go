// Command run soaks EPMD programs, all at once, and shows what came of it:
//
//	run -for 10m epoll=bin/epmd 'portable=+bin/embedded -engine portable'
//
// A plus before the path says that the program tells its figures. Its status is 1 if
// something was lost, wrong or kept.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/soak"
)

// ethernet is the largest packet of Ethernet: with those of loopback no client reads slowly.
const ethernet = 1500

func main() {
	if !rig.InOwnNetwork() {
		if status, err := rig.RunInOwnNetwork(); err == nil {
			os.Exit(status)
		}
		fmt.Fprintln(os.Stderr, "soak: no network of its own could be made, so it goes on in this one")
	} else if err := errors.Join(rig.LoopbackUp(), rig.LoopbackMTU(ethernet)); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run() error {
	length := flag.Duration("for", 10*time.Minute, "how long")
	seed := flag.Uint64("seed", 1, "of all choices")
	flag.Parse()
	if flag.NArg() == 0 || *length < time.Second {
		flag.Usage()
		return errors.New("name at least one program, as NAME=PATH, and at least one second")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var wg sync.WaitGroup
	tables := make([]bytes.Buffer, flag.NArg())
	errs := make([]error, flag.NArg())
	for i, arg := range flag.Args() {
		name, call, _ := strings.Cut(arg, "=")
		call, tells := strings.CutPrefix(call, "+")
		words := strings.Fields(call)
		if len(words) == 0 {
			return fmt.Errorf("%q is not NAME=PATH", arg)
		}
		c := soak.Config{
			Program:  rig.Program{Name: name, Path: words[0], Args: words[1:], Tells: tells},
			For:      *length,
			Seed:     *seed,
			Progress: os.Stdout,
		}
		wg.Go(func() { errs[i] = soak.Run(ctx, c, &tables[i]) })
	}
	wg.Wait()
	for i := range tables {
		fmt.Printf("\n%s", tables[i].String())
	}
	fmt.Println()
	return errors.Join(errs...)
}
