package fields

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// requestName is the protocol's name of the request with a tag, or empty.
func requestName(t wire.Tag) string {
	if wire.MultiTransport.Knows(t) {
		return t.String()
	}
	return ""
}

// Request names the fields of what a client sends on a fresh connection, all of which
// arrives at once.
func Request(b []byte) Message {
	r := &reader{b: b}
	n := r.number("length", wire.HeaderLen, func(int) string { return "so many bytes follow" })
	m := Message{}
	if r.left() > 0 {
		tag := wire.Tag(b[r.at])
		m.Name = requestName(tag)
		body := &reader{b: b[:min(len(b), r.at+n)], at: r.at, fields: r.fields}
		if body.left() > 0 {
			requestBody(body, tag)
		}
		r.at, r.fields = body.at, body.fields
	}
	r.rest("excess", r.left(), "behind the packet")
	m.Fields = r.fields
	m.Fault, m.Label, m.OTP = answer(b)
	return m
}

func requestBody(r *reader, tag wire.Tag) {
	r.number("tag", 1, func(int) string {
		if name := requestName(tag); name != "" {
			return name
		}
		return "no request has this tag"
	})
	switch tag {
	case wire.TagAlive2Req:
		nodeHead(r, true)
		r.text("name", r.number("name length", 2, length("name")), "")
		extra(r)
		r.rest("tail", r.left(), "behind the extra field: ignored")
	case wire.TagPortPlease2Req, wire.TagPortPlease3Req:
		if tag == wire.TagPortPlease3Req {
			transports(r)
			r.number("name length", 1, says("passed over: the name runs to the end"))
		}
		terminated := r.left() > 1 && r.b[len(r.b)-1] == 0
		n := r.left()
		if terminated {
			n--
		}
		r.text("name", n, "")
		r.rest("terminator", r.left(), "one NUL behind the name is dropped")
	case wire.TagStopReq, wire.TagStop3Req:
		n := bytes.IndexByte(r.b[r.at:], 0)
		if n < 0 {
			n = r.left()
		}
		r.text("name", n, "")
		r.rest("tail", r.left(), "the name ends at the first NUL: ignored")
	case wire.TagAlive3Req:
		r.number("port", 2, says("where the node listens by this transport"))
		r.number("type", 1, nodeType)
		r.text("transport", r.number("transport length", 1, length("transport")), "")
		versions(r)
		r.text("name", r.number("name length", 2, length("name")), "")
		extra(r)
		r.rest("tail", r.left(), "behind the extra field: ignored")
	default:
		r.rest("tail", r.left(), "behind the tag: ignored")
	}
}

// nodeHead takes what an ALIVE2_REQ and a PORT2_RESP tell of a node before its name.
func nodeHead(r *reader, protocol bool) {
	r.number("port", 2, says("where the node listens"))
	r.number("type", 1, nodeType)
	if protocol {
		r.number("protocol", 1, func(v int) string {
			if v == wire.ProtocolTCP {
				return "TCP"
			}
			return "any value is taken"
		})
	}
	versions(r)
}

func versions(r *reader) {
	r.number("highest", 2, func(v int) string {
		if v >= wire.Highest32BitCreation {
			return "highest version; from 6 on, creations have 32 bits"
		}
		return "highest version; below 6, creations are 1 to 3"
	})
	r.number("lowest", 2, says("lowest version"))
}

func nodeType(v int) string {
	switch v {
	case wire.NodeTypeNormal:
		return "'M': a node, hidden or not"
	case wire.NodeTypeHidden, wire.NodeTypeC, wire.NodeTypeJava:
		return fmt.Sprintf("%q: a %s", rune(v), wire.NodeTypeName(uint8(v)))
	}
	return "any value is taken"
}

func extra(r *reader) {
	n := r.number("extra length", 2, length("extra"))
	r.take("extra", n, func(b []byte) (string, string) { return count(len(b), "byte"), "opaque to EPMD" })
}

// transports takes the list of those that a caller can speak.
func transports(r *reader) {
	r.number("zero", 1, says("always 0"))
	n := r.number("count", 1, func(v int) string { return count(v, "transport") })
	r.number("list length", 2, length("list"))
	for range n {
		if r.left() == 0 {
			return
		}
		r.text("transport", r.number("transport length", 1, length("transport")), "")
	}
}

// self is a peer on the daemon's own machine.
type self struct{}

func (self) Remote() netip.Addr { return netip.IPv6Loopback() }
func (self) Local() netip.Addr  { return netip.IPv6Loopback() }

// feed gives a request to a daemon that knows no names.
func feed(d *session.Daemon, b []byte) session.Result {
	d.Registry = registry.New(registry.Config{})
	s := d.Open(1, self{}, time.Time{})
	defer s.End(registry.ReasonClosed)
	return s.Feed(time.Time{}, b, nil)
}

// answer asks a session what becomes of a request.
func answer(b []byte) (fault, label, otp string) {
	res := feed(new(session.Daemon), b)
	if err := res.Err; err != nil {
		fault, label = err.Error(), labelOf(err)
	}
	switch {
	case res.Verdict == session.More:
		return wire.FaultIncomplete.Error(), wire.FaultIncomplete.String(),
			"waits for the rest, and closes the connection if it has not come after 60 seconds (-packet_timeout)"
	case errors.Is(res.Err, session.ErrNotRelaxed):
		if _, err := wire.ParseStopReq(b[wire.HeaderLen:]); err != nil {
			return err.Error(), labelOf(err), "closes the connection unanswered"
		}
		return "", "", "closes the connection unanswered, unless it runs with -relaxed_command_check: then it unregisters the node and answers STOPPED, or NOEXISTSTOPPED if there is none"
	case res.Verdict == session.Keep && res.Err != nil:
		return fault, label, fmt.Sprintf("answers that it refuses, %x, and keeps the connection open", res.Reply)
	case res.Verdict == session.Keep:
		return "", "", "registers the node, unless the name is taken, answers " + reply(res.Tag, res.Reply) + ", and keeps the connection open: its end is the node's; a client on another machine is closed unanswered"
	case res.Verdict == session.StopDaemon:
		return "", "", "answers OK and ends if no node is registered, else NO; a client on another machine is closed unanswered"
	case res.Err != nil:
		otp = "closes the connection unanswered"
		if !wire.MultiTransport.Knows(res.Tag) || wire.Standard.Knows(res.Tag) {
			return fault, label, otp
		}
		otp += ": " + res.Tag.String() + " is of the multi-transport extension, which this EPMD has, started with -multi_transport"
		res = feed(&session.Daemon{Dialect: wire.MultiTransport, RelaxedCommandCheck: true}, b)
		if res.Err != nil {
			return res.Err.Error(), labelOf(res.Err), otp
		}
		return "", "", otp
	case res.Tag == wire.TagPortPlease2Req:
		return "", "", "answers a PORT2_RESP, with the node or with result 1, and closes"
	case res.Tag == wire.TagDumpReq:
		return "", "", "answers its port and a line for each registered and remembered name, and closes; a client on another machine is closed unanswered"
	}
	return "", "", "answers its port and a line for each registered node, and closes"
}

func reply(t wire.Tag, b []byte) string {
	return fmt.Sprintf("%s (%d bytes)", Reply(b, t).Name, len(b))
}

// labelOf is the label of a fault for counters.
func labelOf(err error) string {
	var refusal registry.Refusal
	if errors.As(err, &refusal) {
		return refusal.String()
	}
	var fault wire.Fault
	if errors.As(err, &fault) {
		return fault.String()
	}
	return ""
}
