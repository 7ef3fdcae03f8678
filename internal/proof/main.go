// Proof runs the checks and tests of the project, in stages, and shows at the end
// what each took and found:
//
//	go run ./internal/proof [-only REGEX] [-list] test|proof|nightly
//
// test is what everybody runs before a commit, proof all the rest that CI runs, and
// nightly what takes hours. Stages that mostly wait run beside one that computes. What
// a stage prints goes to bin/proof/STAGE.log; the end of it is shown if the stage
// fails. The status is 1 if a stage failed, and 2 if nothing could be run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// folder is where the logs of the stages go, and the table.
const folder = "bin/proof"

// plan is a list of stages with a name.
type plan struct {
	name   string
	stages func() ([]stage, error)
}

// plans are what can be run.
var plans = []plan{{"test", daily}, {"proof", whole}, {"nightly", nightly}}

var errFailed = errors.New("some stages have failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, errFailed):
		os.Exit(1)
	case err != nil:
		fmt.Fprintf(os.Stderr, "proof: %v\n", err)
		os.Exit(2)
	}
}

// run does what the command line asks for.
func run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("proof", flag.ContinueOnError)
	only := fs.String("only", "", "run only the stages whose names match this `regex`, and those that they need")
	list := fs.Bool("list", false, "list the stages and run nothing")
	if err := fs.Parse(args); err != nil {
		return err
	}
	p, err := find(fs.Args())
	if err != nil {
		return err
	}
	stages, err := p.stages()
	if err != nil {
		return err
	}
	if stages, err = choose(stages, *only); err != nil {
		return err
	}
	if *list {
		return describe(out, stages)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	results := runAll(ctx, stages, &progress{w: out, every: heartbeat})
	lost, err := unplayed(p.name, results, *only == "")
	if err != nil {
		return err
	}
	table := summary(results, lost)
	fmt.Fprint(out, table)
	if err := os.WriteFile(filepath.Join(folder, p.name+".txt"), []byte(table), 0o666); err != nil {
		return err
	}
	for _, r := range results {
		if r.failed() {
			return errFailed
		}
	}
	if len(lost) > 0 {
		return errFailed
	}
	return nil
}

// find is the plan that the command line names.
func find(args []string) (plan, error) {
	var names []string
	for _, p := range plans {
		if len(args) == 1 && args[0] == p.name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return plan{}, fmt.Errorf("say what to run: %s", strings.Join(names, ", "))
}

// choose keeps the stages whose names match, and those that they need.
func choose(stages []stage, only string) ([]stage, error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	needed := make(map[string]bool)
	for i := len(stages) - 1; i >= 0; i-- { // each stage stands after those that it needs
		s := stages[i]
		if needed[s.name] || wanted.MatchString(s.name) {
			needed[s.name] = true
			for _, name := range s.after {
				needed[name] = true
			}
		}
	}
	var chosen []stage
	for _, s := range stages {
		if needed[s.name] {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no stage has a name that matches %q: -list lists them", only)
	}
	return chosen, nil
}
