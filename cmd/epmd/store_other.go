//go:build !linux

package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
)

// store is nothing here: there is no systemd.
type store struct{ file *os.File }

func newStore(*slog.Logger, *epmd.Server, int) *store  { return nil }
func (*store) takes(*os.File) bool                     { return false }
func (*store) goOn()                                   {}
func (*store) restores() bool                          { return false }
func (*store) restore() (bool, error)                  { return false, nil }
func (*store) OnEvent(registry.Event, registry.Inside) {}
func (*store) run(context.Context)                     {}
func monotonic() string                                { return "" }
