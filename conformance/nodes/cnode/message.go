package cnode

import "fmt"

// The operations of the distribution that are understood here. Others, as of links
// and monitors, are passed over: nobody here dies.
const (
	opSend    = 2
	opRegSend = 6
)

// passThrough begins a message whose terms are written out, without an atom cache.
const passThrough = 112

// send sends an operation with its message.
func (c *Conn) send(control, message Term) error {
	b, err := Append([]byte{passThrough, tagVersion}, control)
	if err != nil {
		return err
	}
	if b, err = Append(append(b, tagVersion), message); err != nil {
		return err
	}
	return writeLong(c.c, b)
}

// receive gives the next message to this node's process. It answers ticks and pings
// by itself; pings give nil.
func (c *Conn) receive() (Term, error) {
	b, err := readLong(c.c)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, writeLong(c.c, nil)
	}
	control, message, err := parseMessage(b)
	if err != nil {
		return nil, err
	}
	switch {
	case Equal(control[0], opSend) && len(control) == 3:
		return message, nil
	case Equal(control[0], opRegSend) && len(control) == 4 && Equal(control[3], Atom("net_kernel")):
		return nil, c.answerPing(message)
	}
	return nil, nil
}

// parseMessage reads an operation, a tuple with at least one element, and its
// message, which is nil if there is none.
func parseMessage(b []byte) (control Tuple, message Term, err error) {
	d := decoder{b: b}
	if d.u8() != passThrough || d.u8() != tagVersion {
		return nil, nil, fmt.Errorf("%w: a message that begins with %.4q", ErrPeer, b)
	}
	control, ok := d.term(0).(Tuple)
	if d.err == nil && (!ok || len(control) == 0) {
		d.fail("an operation that is no tuple")
	}
	if d.err == nil && len(d.b) > 0 {
		if d.u8() != tagVersion {
			d.fail("a message without a version")
		}
		message = d.term(0)
	}
	if d.err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrPeer, d.err)
	}
	return control, message, nil
}

// answerPing answers {'$gen_call', {Pid, Tag}, {is_auth, Node}} with {Tag, yes}.
// Other messages to the kernel have no answer here.
func (c *Conn) answerPing(message Term) error {
	call, ok := message.(Tuple)
	if !ok || len(call) != 3 || !Equal(call[0], Atom("$gen_call")) {
		return nil
	}
	from, ok := call[1].(Tuple)
	if !ok || len(from) != 2 {
		return nil
	}
	request, ok := call[2].(Tuple)
	if !ok || len(request) != 2 || !Equal(request[0], Atom("is_auth")) {
		return nil
	}
	return c.send(Tuple{opSend, Atom(""), from[0]}, Tuple{from[1], Atom("yes")})
}
