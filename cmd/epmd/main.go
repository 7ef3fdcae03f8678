// A daemon takes few processors (see threads.go), so Go need not watch how many its
// container grants, which would take two open files.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command epmd is the Erlang Port Mapper Daemon: it takes the place of the program
// of the same name that comes with OTP, with the same flags, environment
// variables, output and exit statuses. See `epmd -help` for them.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)) }

// run is the program, but for its end.
func run(args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	o, err := parseArgs(args, env)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprint(stderr, usage)
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "epmd:", err)
		return 1
	}
	switch o.command {
	case commandVersion:
		fmt.Fprintln(stdout, versionLine())
		return 0
	case commandServe:
		return serve(o, args, stderr)
	case commandUpgrade:
		return askUpgrade(o, stdout, stderr)
	}
	return interact(o, stdout, stderr)
}
