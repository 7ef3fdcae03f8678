package differ

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/goepmd/goepmd/wire"
)

// Scenario plays a conversation to a fresh daemon and writes it, with what that daemon
// did, as a scenario of the conformance suite. Name, rule and reason are left for
// people to write. flags are those that the daemon was started with.
func Scenario(t Target, c Conversation, flags ...string) (string, error) {
	r := recorder{side: side{target: t}, target: t, creations: make(map[string]*uint32)}
	for _, s := range c.Steps {
		if err := r.step(s); err != nil {
			return "", errors.Join(err, r.abandon())
		}
	}
	text, err := r.text(flags)
	return text, errors.Join(err, r.abandon())
}

// recorder writes down what a daemon does.
type recorder struct {
	side      side
	target    Target
	lines     []string
	creations map[string]*uint32 // by name: the first that was seen
	order     []string           // of the names
	over      bool               // the daemon has ended
}

func (r *recorder) say(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) step(s Step) error {
	if r.over {
		return nil
	}
	l := r.side.links[s.Conn]
	again := l != nil && l.closed
	if (again || l == nil) && s.Kind != Send && s.Kind != Open {
		return nil // there is nothing to end
	}
	if again && s.Kind == Send {
		r.say("c%d opens", s.Conn)
	}
	switch s.Kind {
	case Send:
		if len(s.Bytes) == 0 {
			return nil
		}
		r.say("c%d -> %s", s.Conn, runs(s.Bytes))
	case Open:
		r.say("c%d opens", s.Conn)
	case HalfClose:
		r.say("c%d half-closes", s.Conn)
	case Close:
		r.say("c%d closes", s.Conn)
	case Reset:
		r.say("c%d resets", s.Conn)
	}
	if _, err := r.side.apply(s); err != nil {
		return err
	}
	return r.look()
}

// look writes what has happened on every connection since.
func (r *recorder) look() error {
	for range 2 {
		err := r.target.Ask()
		if err == nil {
			err = r.target.Answer(r.drain)
		}
		if errors.Is(err, ErrGone) {
			return r.ended()
		}
		if err != nil {
			return err
		}
	}
	if err := r.drain(); err != nil {
		return err
	}
	return r.tell()
}

// tell writes what came on the connections on which something did.
func (r *recorder) tell() error {
	for slot, l := range r.side.links {
		if l == nil || !l.fresh {
			continue
		}
		state := "open"
		if l.closed {
			state = "closed"
		}
		pattern, err := r.pattern(l)
		if err != nil {
			return err
		}
		r.say("c%d <- %s, %s", slot, pattern, state)
		l.fresh, l.told = false, len(l.got)
	}
	return nil
}

// ended writes the daemon's end.
func (r *recorder) ended() error {
	r.over = true
	err := r.drain()
	if err == nil {
		err = r.tell()
	}
	if err != nil {
		return err
	}
	status, err := r.target.Exit()
	r.say("exits %d", status)
	return err
}

func (r *recorder) drain() error {
	for _, l := range r.side.links {
		if l == nil {
			continue
		}
		if err := l.recv(0); err != nil {
			return err
		}
	}
	return nil
}

// pattern is what has come since it was written last, in the suite's language.
func (r *recorder) pattern(l *link) (string, error) {
	got := l.got[l.told:]
	if len(got) == 0 {
		return "nothing", nil
	}
	if l.told > 0 {
		return runs(got), nil
	}
	switch l.tag() {
	case wire.TagAlive2Req:
		return r.registration(l, got), nil
	case wire.TagNamesReq, wire.TagDumpReq:
		if len(got) < 4 || binary.BigEndian.Uint32(got) != uint32(r.target.Port()) {
			return "", fmt.Errorf("a list begins with %x instead of port %d", got[:min(4, len(got))], r.target.Port())
		}
		return strings.TrimSpace("{port} " + list(got[4:])), nil
	}
	return runs(got), nil
}

// registration names the creation by the node's name, and counts from its first.
func (r *recorder) registration(l *link, got []byte) string {
	n, err := wire.PacketLen(l.sent)
	if err != nil {
		return runs(got)
	}
	req, err := wire.ParseAlive2Req(l.sent[wire.HeaderLen:n])
	resp, _, faulty := wire.ParseAlive2Resp(got)
	if err != nil || faulty != nil || resp.Result != 0 {
		return runs(got)
	}
	key := fmt.Sprint(resp.Extended, string(req.Name))
	if !resp.Extended {
		// Only the difference of two is known, and that only modulo 3.
		r.order = append(r.order, key)
		return fmt.Sprintf("%s {creation2:n%d}", runs(got[:2]), len(r.order))
	}
	first := r.creations[key]
	if first == nil {
		first = &resp.Creation
		r.creations[key] = first
		r.order = append(r.order, key)
	}
	at := 0
	for i, k := range r.order {
		if k == key {
			at = i + 1
		}
	}
	text := fmt.Sprintf("%s {creation:n%d", runs(got[:2]), at)
	if more := resp.Creation - *first; more > 0 {
		text += fmt.Sprintf("+%d", more)
	}
	return text + "}"
}

var fdNumber = regexp.MustCompile(`fd = [0-9]+`)

// list is lines as strings, without the numbers that are a daemon's own.
func list(b []byte) string {
	var items []string
	for len(b) > 0 {
		at := fdNumber.FindIndex(b)
		if at == nil {
			items = append(items, strconv.Quote(string(b)))
			break
		}
		before := at[0] + len("fd = ")
		items = append(items, strconv.Quote(string(b[:before])), "{fd}")
		b = b[at[1]:]
	}
	return strings.Join(items, " ")
}

// runs is bytes in hexadecimal, long runs of the same shortened.
func runs(b []byte) string {
	const long = 8
	var items []string
	plain := false // the last item can be gone on with
	for len(b) > 0 {
		n := 1
		for n < len(b) && b[n] == b[0] {
			n++
		}
		switch digits := hex.EncodeToString(b[:n]); {
		case n >= long:
			items = append(items, fmt.Sprintf("%02x*%d", b[0], n))
			plain = false
		case plain:
			items[len(items)-1] += digits
		default:
			items = append(items, digits)
			plain = true
		}
		b = b[n:]
	}
	return strings.Join(items, " ")
}

// text is the scenario as a file has it.
func (r *recorder) text(flags []string) (string, error) {
	type daemon struct {
		Flags []string `yaml:"flags,flow"`
	}
	type scenario struct {
		Name   string   `yaml:"name"`
		Rule   string   `yaml:"rule"`
		Why    string   `yaml:"why"`
		Daemon *daemon  `yaml:"daemon,omitempty"`
		Steps  []string `yaml:"steps"`
	}
	s := scenario{Name: "found-by-the-differential-mode", Rule: "say here what must happen", Why: "and what would go wrong else", Steps: r.lines}
	if len(flags) > 0 {
		s.Daemon = &daemon{flags}
	}
	b, err := yaml.Marshal([]scenario{s})
	return string(b), err
}

func (r *recorder) abandon() error {
	var errs error
	for _, l := range r.side.links {
		if l != nil && !l.closed {
			l.closed = true
			errs = errors.Join(errs, l.conn.Reset())
		}
	}
	return errs
}
