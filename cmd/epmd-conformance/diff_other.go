//go:build !unix

package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v3"
)

// diffCommand says that it cannot be had.
func diffCommand() *cli.Command {
	return &cli.Command{
		Name: "diff", Usage: "play random conversations to two EPMDs (on Unix systems only)",
		Action: func(context.Context, *cli.Command) error { return errors.New("diff needs a Unix system") },
	}
}
