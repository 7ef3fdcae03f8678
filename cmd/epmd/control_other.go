//go:build !linux

package main

import "github.com/goepmd/goepmd/epmd"

// control is nothing here: no daemon can be asked, since none can be upgraded.
type control struct{ port uint16 }

func (*control) open(*upgrader) {}
func (*control) close()         {}

func askControl(uint16, string) (string, error) {
	return "", epmd.ErrPortable
}
