package fuzz

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// CheckFrame compares the framing of wire with a plain statement of it, for any
// bytes at the start of a stream.
func CheckFrame(b []byte) error {
	wantLen, wantFault := frameRule(b)
	n, err := wire.PacketLen(b)
	if err := sameFrame("PacketLen", n, err, wantLen, wantFault); err != nil {
		return err
	}
	if wantLen > 0 && len(b) > wantLen {
		wantLen, wantFault = 0, wire.FaultExcess
	}
	n, err = wire.FirstPacketLen(b)
	if err := sameFrame("FirstPacketLen", n, err, wantLen, wantFault); err != nil {
		return err
	}
	return checkPacket(b)
}

// frameRule is the rule in other words: the length is 0 as long as it is not known.
func frameRule(b []byte) (int, wire.Fault) {
	if len(b) < 2 {
		return 0, 0
	}
	n := int(b[0])*256 + int(b[1]) + 2
	if n < 3 || n >= 3060 {
		return 0, wire.FaultSize
	}
	return n, 0
}

func sameFrame(what string, n int, err error, wantLen int, want wire.Fault) error {
	if n != wantLen {
		return fmt.Errorf("%s is %d, expected %d", what, n, wantLen)
	}
	if want == 0 && err == nil || want != 0 && errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("%s fails with %v, expected fault %v", what, err, want)
}

// checkPacket frames any bytes as a body.
func checkPacket(body []byte) error {
	before := []byte("before")
	p, err := wire.AppendPacket(before, body)
	switch {
	case len(body) == 0:
		if !errors.Is(err, wire.FaultEmpty) || !bytes.Equal(p, before) {
			return fmt.Errorf("an empty body is framed as %q, %v", p, err)
		}
		return nil
	case len(body) > 3057:
		if !errors.Is(err, wire.FaultTooLong) || !bytes.Equal(p, before) {
			return fmt.Errorf("a body of %d bytes is framed: %v", len(body), err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("a body of %d bytes: %w", len(body), err)
	}
	p = p[len(before):]
	if n, err := wire.FirstPacketLen(p); err != nil || n != len(p) || !bytes.Equal(p[2:], body) {
		return fmt.Errorf("the packet %q has length %d, %w", p, n, err)
	}
	if tag, err := wire.BodyTag(p[2:]); err != nil || byte(tag) != body[0] {
		return fmt.Errorf("the tag of %q is %v, %w", body, tag, err)
	}
	return nil
}
