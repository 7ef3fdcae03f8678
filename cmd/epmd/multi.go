package main

import (
	"context"
	"errors"
	"io"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// interactMulti is interact for -names and -dump with -multi_transport. It says no if
// the daemon does not tell transports, for whatever reason: the ordinary requests
// then find out, and have the words for it.
func interactMulti(ctx context.Context, o options, stdout, stderr io.Writer) (status int, done bool) {
	if !o.multi || o.command != commandNames && o.command != commandDump {
		return 0, false
	}
	var port uint32
	var lines []byte
	var dialect wire.Dialect
	var err error
	if o.command == commandNames {
		var list epmd.Names3
		list, err = client(o).Names3(ctx)
		port, lines, dialect = list.Port, nameLines(list), list.Dialect
	} else {
		var list epmd.Dump3
		list, err = client(o).Dump3(ctx)
		port, lines, dialect = list.Port, dumpLines(list), list.Dialect
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) && connected(err):
		return printMute(stdout), true // there is no time left to ask again
	case err != nil || dialect != wire.MultiTransport:
		return 0, false
	}
	return printList(port, lines, stdout, stderr), true
}

// plain says whether a node has no transports to show: then its line is the old one,
// which scripts know.
func plain(of []wire.Transport) bool { return len(of) == 1 && of[0].Name == "" }

func nameLines(list epmd.Names3) []byte {
	var b []byte
	for _, n := range list.Nodes {
		if plain(n.Transports) {
			b = wire.AppendNameLine(b, n.Name, n.Transports[0].Port)
		} else {
			b = wire.AppendName3Line(b, n.Name, n.Transports)
		}
	}
	return b
}

func dumpLines(list epmd.Dump3) []byte {
	var b []byte
	for _, n := range list.Active {
		if plain(n.Transports) {
			b = wire.AppendActiveLine(b, n.Name, n.Transports[0].Port, n.FD)
		} else {
			b = wire.AppendActive3Line(b, n.Name, n.Transports, n.FD)
		}
	}
	for _, n := range list.Old {
		if plain(n.Transports) {
			b = wire.AppendOldLine(b, n.Name, n.Transports[0].Port, n.FD)
		} else {
			b = wire.AppendOld3Line(b, n.Name, n.Transports, n.FD)
		}
	}
	return b
}
