package differ

import (
	"bytes"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// registrations is registration for a connection that takes one ALIVE3_REQ after the
// other: each is answered by a reply of its own.
func (n *normal) registrations(sent, got []byte) []byte {
	var text []byte
	for len(got) > 0 {
		size, err := wire.PacketLen(sent)
		if err != nil || size == 0 || len(sent) < size {
			break
		}
		req, err := wire.ParseAlive3Req(sent[wire.HeaderLen:size])
		resp, replied, faulty := wire.ParseAlive3Resp(got)
		if err != nil || faulty != nil {
			break
		}
		if reply := got[:replied]; resp.Result != 0 {
			text = append(text, reply...)
		} else {
			text = append(text, reply[:wire.HeaderLen]...)
			text = append(text, n.creation(req.Name, wire.Alive2Resp(resp), reply[wire.HeaderLen:])...)
		}
		sent, got = sent[size:], got[replied:]
	}
	return append(text, got...)
}

// blocks joins the blocks of a list, since where they end depends on what is a
// daemon's own, and replaces that: its port, and the descriptors.
func (n *normal) blocks(got []byte) []byte {
	text := []byte("PORT ")
	first := true
	for more := true; more; first = false {
		k, size, err := wire.ParseBlock(got, first)
		if err != nil {
			break
		}
		if size > wire.MaxBlockLen {
			text = fmt.Appendf(text, "a block of %d bytes ", size)
		}
		if first && k.Port != uint32(n.port) {
			text = fmt.Appendf(nil, "wrong port %d ", k.Port)
		}
		for line := range bytes.Lines(k.Lines) {
			text = append(text, withoutFD(line)...)
		}
		more, got = k.More, got[size:]
	}
	return append(text, got...)
}
