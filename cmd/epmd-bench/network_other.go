//go:build !linux

package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/bench"
)

func inOwnNetwork() bool { return false }

func runInOwnNetwork(context.Context, *cli.Command, []string) (done bool, err error) {
	return true, bench.ErrUnsupported
}

func loopbackUp() error { return nil }
