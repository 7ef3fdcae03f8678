// Command scale holds as many registered nodes as are asked for, or as the limit of open
// files allows, and shows what they cost each program: memory, the rate of registering
// as it fills, the CPU time of a lookup, and what is left after all have gone at once.
//
//	scale -nodes 100000 OTP=/path/to/epmd epoll=bin/epmd 'portable=+bin/embedded -engine portable'
//
// A plus before the path says that the program tells its figures.
// Its status is 1 if a node was lost or a promise of the documentation not kept; promises
// are made of programs whose name begins with epoll or portable.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

func main() {
	if !rig.InOwnNetwork() {
		if status, err := rig.RunInOwnNetwork(); err == nil {
			os.Exit(status)
		}
		fmt.Fprintln(os.Stderr, "scale: no network of its own could be made, so it goes on in this one")
	} else if err := rig.LoopbackUp(); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// spareFiles are left to a program for what is no node.
const spareFiles = 200

func run() error {
	nodes := flag.Int("nodes", 100_000, "how many nodes")
	flag.Parse()
	if flag.NArg() == 0 || *nodes < 100 {
		flag.Usage()
		return errors.New("name at least one program, as NAME=PATH, and at least 100 nodes")
	}
	files, err := rig.RaiseFiles(uint64(*nodes) + spareFiles)
	if err != nil {
		return err
	}
	n := *nodes
	if most := int(files) - spareFiles; most < n {
		fmt.Printf("the limit of open files is %d and cannot be raised: %d nodes in place of %d\n", files, most, n)
		n = most
	}
	var all []report
	var errs error
	for _, arg := range flag.Args() {
		name, call, ok := strings.Cut(arg, "=")
		words := strings.Fields(call)
		if !ok || len(words) == 0 {
			return fmt.Errorf("%q is not NAME=PATH", arg)
		}
		path, tells := strings.CutPrefix(words[0], "+")
		p := rig.Program{Name: name, Path: path, Args: words[1:], Tells: tells}
		r, err := measure(context.Background(), p, n)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, r)
		if err := r.check(n); err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	show(os.Stdout, all)
	return errs
}
