package fuzz

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// CheckRequest reads any bytes as the body of each request. What is read must be
// the same when it is written again, and only the parser of its tag may take it.
func CheckRequest(body []byte) error {
	kept := bytes.Clone(body)
	for _, p := range requestParsers {
		if err := checkRequest(p, body); err != nil {
			return fmt.Errorf("%v: %w", p.tag, err)
		}
	}
	if !bytes.Equal(kept, body) {
		return errors.New("a parser has changed its input")
	}
	return nil
}

// requestParser reads a body, and gives what writes it again.
type requestParser struct {
	tag   wire.Tag
	parse func(body []byte) (again func([]byte) ([]byte, error), err error)
}

var requestParsers = [...]requestParser{
	{wire.TagAlive2Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseAlive2Req(b)
		if err == nil {
			err = checkAlive2(b, r)
		}
		return r.Append, err
	}},
	{wire.TagPortPlease2Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParsePortPlease2Req(b)
		return r.Append, err
	}},
	{wire.TagNamesReq, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseNamesReq(b)
		return r.Append, err
	}},
	{wire.TagDumpReq, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseDumpReq(b)
		return r.Append, err
	}},
	{wire.TagKillReq, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseKillReq(b)
		return r.Append, err
	}},
	{wire.TagStopReq, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseStopReq(b)
		return r.Append, err
	}},
}

func checkRequest(p requestParser, body []byte) error {
	again, err := p.parse(body)
	own := len(body) > 0 && body[0] == byte(p.tag)
	if err != nil {
		if err := knownError(err); err != nil {
			return err
		}
		if own == errors.Is(err, wire.FaultTag) {
			return fmt.Errorf("the tag of %q: %w", body, err)
		}
		return nil
	}
	if !own {
		return fmt.Errorf("%q was taken, which has another tag", body)
	}
	packet, err := again([]byte("before"))
	if len(body) > wire.MaxBodyLen {
		if !errors.Is(err, wire.FaultTooLong) || string(packet) != "before" {
			return fmt.Errorf("a body of %d bytes was written again: %w", len(body), err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("%q is read, but cannot be written: %w", body, err)
	}
	want, err := wire.AppendPacket([]byte("before"), body)
	if err != nil || !bytes.Equal(packet, want) {
		return fmt.Errorf("%q is written as %q, %w", body, packet, err)
	}
	return nil
}

// knownError says what is wrong with an error that is not as wire promises.
func knownError(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) || e.Fault == 0 || e.Fault >= wire.NumFaults {
		return fmt.Errorf("an error that wire does not promise: %#v", err)
	}
	return nil
}

// checkAlive2 holds what was read against the rules.
func checkAlive2(body []byte, r wire.Alive2Req) error {
	switch {
	case len(body) <= 13 || 13+len(r.Name)+len(r.Extra)+len(r.Tail) != len(body):
		return fmt.Errorf("the parts of %q do not add up", body)
	case bytes.IndexByte(r.Name, 0) >= 0:
		return fmt.Errorf("the name %q holds a NUL", r.Name)
	case cap(r.Name) != len(r.Name) || cap(r.Extra) != len(r.Extra):
		return errors.New("appending to a view would write into the message")
	}
	n := r.Node()
	if n.Name != string(r.Name) || n.Extra != string(r.Extra) || n.Port != r.Port {
		return fmt.Errorf("the node is %+v, the request %+v", n, r)
	}
	return nil
}
