package main

import (
	"io"
	"runtime"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/internal/cmdline"
)

// program is the command line.
func program(out, errs io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "epmd-conformance",
		Usage: "find out whether a program is an EPMD",
		Description: "Plays scenarios to one or several targets, and compares byte for byte with\n" +
			"what OTP's epmd does. A target may have a name in front, as in\n" +
			"\"OTP 27=erlang:27\"; with such a name it must be like that version of OTP,\n" +
			"else like any. Exit status: 0 if nothing failed, 1 if something did, 2 if it\n" +
			"could not run, or not ask everything.",
		Writer: out, ErrWriter: errs,
		Flags:  append(append(targetFlags(), selectFlags()...), reportFlags()...),
		Action: play,
		Commands: []*cli.Command{
			diffCommand(),
			nodesCommand(),
			{
				Name: "list", Usage: "show the scenarios, with what they check",
				Flags:  append(selectFlags(), &cli.BoolFlag{Name: "steps", Local: true, Usage: "with their steps"}, &cli.BoolFlag{Name: "json", Local: true, Usage: "for machines"}),
				Action: list,
			},
			{
				Name: "merge", Usage: "make one report of several that -json wrote",
				ArgsUsage: "FILE...", Flags: reportFlags(), Action: merge,
			},
		},
	}
}

func targetFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "target", Local: true, Usage: "an EPMD that runs at `HOST:PORT`, and no node is registered with"},
		&cli.StringSliceFlag{Name: "exec", Local: true, Usage: "an EPMD `PROGRAM`, with the flags of OTP's, which is started for each scenario; or a whole command with {port} in it, which takes none"},
		&cli.StringSliceFlag{Name: "image", Local: true, Usage: "an EPMD in a container of `IMAGE`, for instance erlang:27"},
		&cli.StringFlag{Name: "deviations", Local: true, Usage: "a `FILE` of scenarios in which the targets without an OTP in their name are meant to differ", TakesFile: true},
		&cli.StringSliceFlag{Name: "without", Local: true, Usage: "skip what a target without `FEATURES` cannot do: " + features()},
		&cli.BoolFlag{Name: "extension", Local: true, Usage: "play what is about several transports and the time for a holder to end, too: not OTP's"},
		&cli.BoolFlag{Name: "all", Local: true, Usage: "take no first look at the target, and play everything"},
		&cmdline.Duration{Name: "for", Local: true, Usage: "the `TIME` that it may take in all, with each target; 0 for any", Value: 5 * time.Minute},
		&cmdline.Int{Name: "parallel", Local: true, Usage: "how `MANY` scenarios are played at once", Value: 4 * runtime.GOMAXPROCS(0), Config: cmdline.Range{Least: 1}},
		&cmdline.Duration{Name: "settle", Local: true, Usage: "the `TIME` that it takes, after another request was answered, until nothing more comes; 0 for a daemon that does one thing at a time", Value: 40 * time.Millisecond},
	}
}

func selectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "run", Local: true, Usage: "play scenarios whose name matches a `REGEXP`"},
		&cli.StringFlag{Name: "skip", Local: true, Usage: "leave out scenarios whose name matches a `REGEXP`"},
		&cli.StringSliceFlag{Name: "area", Local: true, Usage: "play scenarios of an `AREA`"},
		&cli.StringFlag{Name: "scenarios", Local: true, Usage: "a `FOLDER` of scenarios instead of the suite's own"},
	}
}

func reportFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "json", Local: true, Usage: "write the report as JSON to standard output"},
		&cli.StringFlag{Name: "junit", Local: true, Usage: "write it as JUnit XML to a `FILE`"},
		&cli.StringFlag{Name: "html", Local: true, Usage: "write it as a page to a `FILE`"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Local: true, Usage: "show what was passed, too"},
	}
}
