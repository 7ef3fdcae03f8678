package fuzz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// plainBlock writes a block by the rule: length:16 more:8, in the first one port:32,
// and lines.
func plainBlock(k wire.Block, first bool) []byte {
	body := []byte{0}
	if k.More {
		body[0] = 1
	}
	if first {
		body = binary.BigEndian.AppendUint32(body, k.Port)
	}
	body = append(body, k.Lines...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

// checkList reads the bytes, or the block that they begin with, as the lines of a list
// with transports, and fills blocks with what is read.
func checkList(b []byte) error {
	if k, _, err := wire.ParseBlock(b, true); err == nil {
		b = k.Lines
	}
	var names, dump []wire.Dump3Line
	err := checkLines("names with transports", b, wire.Name3Lines(b), func(to []byte, l wire.Name3Line) []byte {
		names = append(names, wire.Dump3Line{Name: l.Name, Transports: l.Transports})
		return wire.AppendName3Line(to, l.Name, l.Transports.Transports())
	})
	err = errors.Join(err, checkLines("dump with transports", b, wire.Dump3Lines(b), func(to []byte, l wire.Dump3Line) []byte {
		dump = append(dump, l)
		if l.Active {
			return wire.AppendActive3Line(to, l.Name, l.Transports.Transports(), l.FD)
		}
		return wire.AppendOld3Line(to, l.Name, l.Transports.Transports(), l.FD)
	}))
	return errors.Join(err,
		checkBlocks(names, func(l *wire.Blocks, d wire.Dump3Line) { l.Name(string(d.Name), d.Transports.Transports()) }),
		checkBlocks(dump, func(l *wire.Blocks, d wire.Dump3Line) {
			if d.Active {
				l.Active(string(d.Name), d.Transports.Transports(), d.FD)
			} else {
				l.Old(string(d.Name), d.Transports.Transports(), d.FD)
			}
		}))
}

// checkBlocks adds lines to a list, over and over, until it has several blocks. Read
// again they must be the same lines, each block with as many as go in.
func checkBlocks(lines []wire.Dump3Line, add func(*wire.Blocks, wire.Dump3Line)) error {
	const port, several = 4369, 2*wire.MaxBlockLen + 1
	list := wire.AppendBlocks(nil, port)
	var want [][]byte
	for size := 0; len(lines) > 0 && size < several; {
		for _, line := range lines {
			alone := wire.AppendBlocks(nil, port)
			add(&alone, line)
			text, err := lineAlone(alone.End())
			if err != nil {
				return err
			}
			add(&list, line)
			want, size = append(want, text), size+len(text)
		}
	}
	rest, more := list.End(), true
	for first := true; more; first = false {
		k, n, err := wire.ParseBlock(rest, first)
		if err != nil {
			return fmt.Errorf("a block of %d bytes: %w", len(rest), err)
		}
		if first != (k.Port == port) {
			return fmt.Errorf("the port %d", k.Port)
		}
		begun := len(want)
		for ; len(k.Lines) > 0 && len(want) > 0 && bytes.HasPrefix(k.Lines, want[0]); want = want[1:] {
			k.Lines = k.Lines[len(want[0]):]
		}
		switch {
		case len(k.Lines) > 0:
			return fmt.Errorf("a block goes on with %q", k.Lines)
		case n > wire.MaxBlockLen && begun-len(want) > 1:
			return fmt.Errorf("a block of %d bytes and %d lines", n, begun-len(want))
		case k.More && len(want) > 0 && n+len(want[0]) <= wire.MaxBlockLen:
			return fmt.Errorf("a block of %d bytes has room for %d more", n, len(want[0]))
		}
		more, rest = k.More, rest[n:]
	}
	if len(want) > 0 || len(rest) > 0 {
		return fmt.Errorf("%d lines are missing, %d bytes left over", len(want), len(rest))
	}
	return nil
}

// lineAlone is the line of a list of one, which may be too long for the first block.
func lineAlone(b []byte) ([]byte, error) {
	k, n, err := wire.ParseBlock(b, true)
	if err == nil && k.More {
		k, _, err = wire.ParseBlock(b[n:], false)
	}
	return k.Lines, err
}
