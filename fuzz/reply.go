package fuzz

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// CheckReply reads any bytes as each reply. What is read must be the same when it is
// written again, and every part of it must be incomplete.
func CheckReply(b []byte) error {
	kept := bytes.Clone(b)
	for _, p := range replyParsers {
		if err := checkReply(p, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if err := errors.Join(checkNames(b), checkDump(b)); err != nil {
		return err
	}
	if !bytes.Equal(kept, b) {
		return errors.New("a parser has changed its input")
	}
	return nil
}

// replyParser reads a reply, and writes it again.
type replyParser struct {
	name  string
	parse func(b []byte) (again []byte, n int, err error)
}

var replyParsers = [...]replyParser{
	{"ALIVE2_RESP", func(b []byte) ([]byte, int, error) {
		r, n, err := wire.ParseAlive2Resp(b)
		return r.Append(nil), n, err
	}},
	{"PORT2_RESP", func(b []byte) ([]byte, int, error) {
		r, n, err := wire.ParsePort2Resp(b)
		if err == nil && r.Result == 0 && !bytes.Equal(r.Node().AppendPort2Resp(nil), r.Append(nil)) {
			err = errors.New("the node is another one")
		}
		return r.Append(nil), n, err
	}},
	{"KILL_RESP", func(b []byte) ([]byte, int, error) {
		ok, n, err := wire.ParseKillResp(b)
		return wire.AppendKillResp(nil, ok), n, err
	}},
	{"STOP_RESP", func(b []byte) ([]byte, int, error) {
		known, n, err := wire.ParseStopResp(b)
		return wire.AppendStopResp(nil, known), n, err
	}},
	{"list port", func(b []byte) ([]byte, int, error) {
		port, lines, err := wire.ParseListPort(b)
		return wire.AppendListPort(nil, port), len(b) - len(lines), err
	}},
}

func checkReply(p replyParser, b []byte) error {
	again, n, err := p.parse(b)
	if err != nil {
		return knownError(err)
	}
	if n <= 0 || n > len(b) || !bytes.Equal(again, b[:n]) {
		return fmt.Errorf("%d bytes of %q are written as %q", n, b, again)
	}
	for _, part := range []int{0, 1, n / 2, n - 1} {
		if part >= n {
			continue
		}
		if _, _, err := p.parse(b[:part:part]); !errors.Is(err, wire.FaultIncomplete) {
			return fmt.Errorf("%d of %d bytes of a reply: %w", part, n, err)
		}
	}
	if _, m, err := p.parse(b[:n:n]); err != nil || m != n {
		return fmt.Errorf("a reply of %d bytes alone has %d, %w", n, m, err)
	}
	return nil
}

// checkNames reads the bytes as the lines of a list of names.
func checkNames(b []byte) error {
	var again []byte
	var last error
	for line, err := range wire.NameLines(b) {
		if last != nil {
			return errors.New("names: a line after an error")
		}
		if last = err; err == nil {
			again = wire.AppendNameLine(again, line.Name, line.Port)
		}
	}
	return sameLines("names", b, again, last)
}

// checkDump reads the bytes as the lines of a dump.
func checkDump(b []byte) error {
	var again []byte
	var last error
	for line, err := range wire.DumpLines(b) {
		if last != nil {
			return errors.New("dump: a line after an error")
		}
		switch last = err; {
		case err != nil:
		case line.Active:
			again = wire.AppendActiveLine(again, line.Name, line.Port, line.FD)
		default:
			again = wire.AppendOldLine(again, line.Name, line.Port, line.FD)
		}
	}
	return sameLines("dump", b, again, last)
}

// sameLines holds lines that were written again against those that were read, which end
// where the error is.
func sameLines(what string, b, again []byte, err error) error {
	switch {
	case !bytes.HasPrefix(b, again):
		return fmt.Errorf("%s: %q is written as %q", what, b, again)
	case err == nil && len(again) != len(b):
		return fmt.Errorf("%s: only %q of %q was read, without an error", what, again, b)
	case err != nil && !errors.Is(err, wire.FaultSyntax):
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
