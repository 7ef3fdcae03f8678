// Command otp-images gets the container images of the real OTP that the conformance
// suite and the tests with nodes run: pulled where a registry answers, else made of
// Debian's packages, which takes root and mmdebstrap.
//
//	go run ./docker/otp-images [-list | -extract FOLDER] [NAME...]
//
// The names are 23, 25, 27, 29, apps, apps-27, clients, systemd, supervisors and wine; without one it
// gets all. An image that is there already is only run once, to tell its version. With -list it says what
// is there; -extract takes the epmd of one out, to run it without a container.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/goepmd/goepmd/internal/otpimages"
)

func main() {
	list := flag.Bool("list", false, "only say which images are there")
	into := flag.String("extract", "", "take the epmd of one image into a `folder`, to run it without a container")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: otp-images [-list | -extract FOLDER] [NAME...]\nnames:", otpimages.Names())
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	do := get
	if *list {
		do = show
	}
	if *into != "" {
		do = func(ctx context.Context, names []string) error { return extract(ctx, *into, names) }
	}
	if err := do(ctx, flag.Args()); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "otp-images:", err)
		os.Exit(1)
	}
}

// show prints a line for each image.
func show(ctx context.Context, names []string) error {
	if len(names) == 0 {
		names = otpimages.Names()
	}
	return table(func(w io.Writer) error {
		fmt.Fprintln(w, "name\timage\tstate")
		for _, name := range names {
			ref, here, err := otpimages.Ref(ctx, name)
			if err != nil {
				return err
			}
			state := "here"
			if !here {
				state = "missing"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", name, ref, state)
		}
		return nil
	})
}

// get gets images, and prints what came.
func get(ctx context.Context, names []string) error {
	begun := time.Now()
	images, err := otpimages.Ensure(ctx, os.Stderr, names...)
	if len(images) == 0 {
		return err
	}
	printed := table(func(w io.Writer) error {
		fmt.Fprintln(w, "image\tOTP\tDebian's\tERTS\tMB\tseconds")
		for _, i := range images {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%.1f\n", i.Ref, i.OTP, cmp.Or(i.Debian, "pulled"), i.ERTS, i.Bytes/1e6, i.Took.Seconds())
		}
		fmt.Fprintf(w, "all\t\t\t\t\t%.1f\n", time.Since(begun).Seconds())
		return nil
	})
	if err != nil {
		return err
	}
	return printed
}

func table(print func(io.Writer) error) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if err := print(w); err != nil {
		return err
	}
	return w.Flush()
}
