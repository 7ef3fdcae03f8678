package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

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
	if err := errors.Join(checkNameLines(b), checkDumpLines(b), checkList(b)); err != nil {
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
		again := r.Append(nil)
		if err == nil && r.Result == 0 {
			copy(again[4:6], b[4:6]) // two bytes that nobody reads, and that are written as 0
		}
		return again, n, err
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
	{"ALIVE3_RESP", func(b []byte) ([]byte, int, error) {
		r, n, err := wire.ParseAlive3Resp(b)
		return r.Append(nil), n, err
	}},
	{"PORT3_RESP", func(b []byte) ([]byte, int, error) {
		r, n, err := wire.ParsePort3Resp(b)
		if err == nil && r.Result == 0 && !bytes.Equal(r.Node().AppendPort3Resp(nil, r.Transports.Transports()), r.Append(nil)) {
			err = errors.New("the node is another one")
		}
		again := r.Append(nil)
		if err == nil && r.Result == 0 {
			copy(again[4:6], b[4:6]) // two bytes that nobody reads, and that are written as 0
		}
		return again, n, err
	}},
	{"KILL3_RESP", func(b []byte) ([]byte, int, error) {
		ok, n, err := wire.ParseKill3Resp(b)
		return wire.AppendKill3Resp(nil, ok), n, err
	}},
	{"STOP3_RESP", func(b []byte) ([]byte, int, error) {
		known, n, err := wire.ParseStop3Resp(b)
		return wire.AppendStop3Resp(nil, known), n, err
	}},
	{"first block", func(b []byte) ([]byte, int, error) {
		k, n, err := wire.ParseBlock(b, true)
		return plainBlock(k, true), n, err
	}},
	{"later block", func(b []byte) ([]byte, int, error) {
		k, n, err := wire.ParseBlock(b, false)
		return plainBlock(k, false), n, err
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

// checkLines holds the bytes against the lines of a list that were read of them, each
// of which is written again.
func checkLines[L any](what string, b []byte, lines iter.Seq2[L, error], again func([]byte, L) []byte) error {
	var all []byte
	var last error
	for line, err := range lines {
		if last != nil {
			return fmt.Errorf("%s: a line after an error", what)
		}
		if last = err; err == nil {
			all = again(all, line)
		}
	}
	return sameLines(what, b, all, last)
}

func checkNameLines(b []byte) error {
	return checkLines("names", b, wire.NameLines(b), func(to []byte, l wire.NameLine) []byte {
		return wire.AppendNameLine(to, l.Name, l.Port)
	})
}

func checkDumpLines(b []byte) error {
	return checkLines("dump", b, wire.DumpLines(b), func(to []byte, l wire.DumpLine) []byte {
		if l.Active {
			return wire.AppendActiveLine(to, l.Name, l.Port, l.FD)
		}
		return wire.AppendOldLine(to, l.Name, l.Port, l.FD)
	})
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
