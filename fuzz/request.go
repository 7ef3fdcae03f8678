package fuzz

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// CheckRequest reads any bytes as the body of each request, those of the multi-transport
// extension too. What is read must be the same when it is written again, and only the
// parser of its tag may take it.
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
	{wire.TagAlive3Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseAlive3Req(b)
		if err == nil {
			err = checkAlive3(b, r)
		}
		return r.Append, err
	}},
	{wire.TagPortPlease3Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParsePortPlease3Req(b)
		if err == nil {
			err = checkPortPlease3(r)
		}
		return func(to []byte) ([]byte, error) { return passedOver(to, b, r) }, err
	}},
	{wire.TagNames3Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseNames3Req(b)
		return r.Append, err
	}},
	{wire.TagDump3Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseDump3Req(b)
		return r.Append, err
	}},
	{wire.TagKill3Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseKill3Req(b)
		return r.Append, err
	}},
	{wire.TagStop3Req, func(b []byte) (func([]byte) ([]byte, error), error) {
		r, err := wire.ParseStop3Req(b)
		return r.Append, err
	}},
}

// passedOver writes a PORT_PLEASE3_REQ again, and then the two bytes that nobody reads
// as they were: the one behind the tag, and the length of the name.
func passedOver(to, body []byte, r wire.PortPlease3Req) ([]byte, error) {
	at := len(to)
	to, err := r.Append(to)
	if err == nil {
		again := to[at+wire.HeaderLen:]
		nlen := 5 + len(r.Transports)
		again[1], again[nlen] = body[1], body[nlen]
	}
	return to, err
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

// checkAlive3 likewise.
func checkAlive3(body []byte, r wire.Alive3Req) error {
	switch {
	case len(body) <= 13 || 13+len(r.Transport)+len(r.Name)+len(r.Extra)+len(r.Tail) != len(body):
		return fmt.Errorf("the parts of %q do not add up", body)
	case bytes.IndexByte(r.Name, 0) >= 0 || bytes.IndexByte(r.Transport, 0) >= 0:
		return fmt.Errorf("the name %q or the transport %q holds a NUL", r.Name, r.Transport)
	case len(r.Transport) > 127:
		return fmt.Errorf("a transport of %d bytes", len(r.Transport))
	case cap(r.Transport) != len(r.Transport) || cap(r.Name) != len(r.Name) || cap(r.Extra) != len(r.Extra):
		return errors.New("appending to a view would write into the message")
	}
	n := r.Node()
	if n.Name != string(r.Name) || n.Extra != string(r.Extra) || n.Port != r.Port || n.Transport != string(r.Transport) {
		return fmt.Errorf("the node is %+v, the request %+v", n, r)
	}
	return nil
}

// checkPortPlease3: a list that was taken is at most 32 transports of at most 127
// bytes, and nothing else.
func checkPortPlease3(r wire.PortPlease3Req) error {
	size := 0
	for name := range r.Transports.All() {
		size += 1 + len(name)
		if len(name) > 127 || !r.Transports.Has(string(name)) {
			return fmt.Errorf("the transport %q of %q", name, []byte(r.Transports))
		}
	}
	switch {
	case r.Transports.Len() > 32 || size != len(r.Transports):
		return fmt.Errorf("%d transports of %d bytes in %q", r.Transports.Len(), size, []byte(r.Transports))
	case len(r.Name) == 0:
		return errors.New("there is no name")
	case cap(r.Name) != len(r.Name) || cap(r.Transports) != len(r.Transports):
		return errors.New("appending to a view would write into the message")
	}
	return nil
}
