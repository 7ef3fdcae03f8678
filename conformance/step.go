package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Step is one thing that happens. It is written as a line:
//
//	a opens                        a new connection, which a send opens too
//	a opens to ::1                 to another address of the daemon's
//	a opens from 127.0.0.9         from another address of this machine
//	a opens from remote            as a peer that is not local
//	a opens to outside from outside  by an address that is not a loopback one
//	a is refused to 127.0.0.5      connecting fails
//	a -> NAMES_REQ                 a segment is sent
//	a -> 00 | 016e                 two segments
//	a <- NAMES_RESP, closed        what must come, and what then
//	a <- nothing, open             nothing comes
//	a <- nothing, closed 1s..6s    so long after the step before
//	a half-closes                  its sending side ends
//	a closes                       in good order
//	a resets                       by force
//	wait 500ms
//	exits 0                        the daemon ends with a status
//
// or, in the same place, as a command of the daemon's own program,
//
//	run: -names
//	out: '"epmd: up and running on port " {port-text} {anything}'
//	err: nothing
//	status: 0
//	env: [A=b]    # added to the environment
//	bare: true    # without the daemon's port
//
// or as steps that are done again and again, where $i is the number:
//
//	for: i in 1..1001
//	do: [...]
type Step struct {
	text string
	kind kind
	conn string

	route    Route
	segments []Bytes
	want     Bytes
	state    string // "open" or "closed"
	after    span
	pause    time.Duration
	status   int
	call     Command
	out, err Bytes

	variable string
	from, to int
	body     []string // of a loop, not yet parsed
}

type kind int

const (
	opens kind = iota
	isRefused
	sends
	expects
	halfCloses
	closes
	resets
	waits
	exits
	runs
	loops
)

// span is when something may happen, since the step before; zero is any time.
type span struct{ min, max time.Duration }

// String is the step as it is written.
func (s Step) String() string { return s.text }

// MarshalJSON gives the text of the step.
func (s Step) MarshalJSON() ([]byte, error) { return json.Marshal(s.text) }

// UnmarshalJSON keeps the text of a step, for reports: it cannot be played again.
func (s *Step) UnmarshalJSON(b []byte) error {
	*s = Step{}
	return json.Unmarshal(b, &s.text)
}

// looks says that the step looks at what the daemon does.
func (s Step) looks() bool {
	switch s.kind {
	case expects, isRefused, exits, runs, loops:
		return true
	}
	return false
}

// needsFresh says that the step depends on what the daemon has been through, or ends
// it.
func (s Step) needsFresh() bool {
	switch s.kind {
	case exits, runs, loops:
		return true
	}
	return slices.ContainsFunc(s.want, func(p Part) bool { return p.Hole.Kind == FirstCreation || p.Hole.Kind == Digits })
}

// needsNoPast says that the step expects a dump, which lists names gone by, too.
func (s Step) needsNoPast() bool {
	return s.kind == expects && (strings.Contains(s.text, "<- DUMP_RESP") || strings.Contains(s.text, "<- DUMP3_RESP"))
}

// UnmarshalYAML reads a step as it is written.
func (s *Step) UnmarshalYAML(n *yaml.Node) error {
	err := s.unmarshal(n)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

func (s *Step) unmarshal(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return s.parse(n.Value)
	}
	var m struct {
		Run    *string  `yaml:"run"`
		Env    []string `yaml:"env"`
		Bare   bool     `yaml:"bare"`
		Out    string   `yaml:"out"`
		Err    string   `yaml:"err"`
		Status int      `yaml:"status"`
		For    string   `yaml:"for"`
		Do     []string `yaml:"do"`
	}
	if err := n.Decode(&m); err != nil {
		return err
	}
	if m.Run != nil {
		s.call = Command{Env: m.Env, Bare: m.Bare}
		return s.command(*m.Run, m.Out, m.Err, m.Status)
	}
	return s.loop(m.For, m.Do)
}

// command is a step that runs a command.
func (s *Step) command(args, out, stderr string, status int) error {
	s.kind, s.status = runs, status
	s.text = fmt.Sprintf("run: %s\nout: %s\nerr: %s\nstatus: %d", args, out, stderr, status)
	if len(s.call.Env) > 0 {
		s.text += "\nenv: " + strings.Join(s.call.Env, " ")
	}
	if s.call.Bare {
		s.text += "\nbare: true"
	}
	var err error
	if s.call.Args, err = arguments(args); err != nil {
		return err
	}
	if s.out, err = wholeBytes(out); err != nil {
		return fmt.Errorf("out: %w", err)
	}
	if s.err, err = wholeBytes(stderr); err != nil {
		return fmt.Errorf("err: %w", err)
	}
	return nil
}

// arguments are words, or strings of Go.
func arguments(line string) ([]string, error) {
	var out []string
	for sc := (scanner{line}); sc.blanks(); {
		if sc.rest[0] == '"' {
			arg, err := sc.quoted()
			if err != nil {
				return nil, err
			}
			out = append(out, arg)
			continue
		}
		out = append(out, sc.word(" "))
	}
	return out, nil
}

// wholeBytes reads bytes from a text that holds nothing else.
func wholeBytes(text string) (Bytes, error) {
	sc := scanner{text}
	if sc.take("nothing") || !sc.blanks() {
		return nil, nil
	}
	b, err := sc.bytes()
	if err == nil && sc.blanks() {
		err = fmt.Errorf("what is %s", cut(sc.rest))
	}
	return b, err
}

// loop is steps that are done several times.
func (s *Step) loop(head string, body []string) error {
	s.kind, s.body = loops, body
	s.text = "for: " + head + "\n  " + strings.Join(body, "\n  ")
	name, bounds, ok := strings.Cut(head, " in ")
	from, to, ok2 := strings.Cut(bounds, "..")
	if !ok || !ok2 || len(body) == 0 {
		return errors.New(`a loop has the form "for: i in 1..9" and "do:" with steps`)
	}
	var errs error
	s.variable = name
	s.from = number(from, &errs)
	s.to = number(to, &errs)
	if errs != nil {
		return errs
	}
	for _, i := range []int{s.from, s.to} { // what the others would say, too
		if _, err := s.round(i); err != nil {
			return err
		}
	}
	return nil
}

func number(w string, errs *error) int {
	n, err := strconv.Atoi(w)
	if err != nil {
		*errs = errors.Join(*errs, fmt.Errorf("%q is no number", w))
	}
	return n
}

// round is the steps of a loop for one number.
func (s Step) round(i int) ([]Step, error) {
	steps := make([]Step, len(s.body))
	for k, line := range s.body {
		line = strings.ReplaceAll(line, "$"+s.variable, strconv.Itoa(i))
		if err := steps[k].parse(line); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	return steps, nil
}

// parse reads a line.
func (s *Step) parse(line string) error {
	s.text = line
	sc := scanner{line}
	first := sc.word(" ")
	sc.blanks()
	switch first {
	case "wait":
		s.kind = waits
		var err error
		s.pause, err = time.ParseDuration(sc.rest)
		return err
	case "exits":
		s.kind = exits
		var err error
		s.status, err = strconv.Atoi(sc.rest)
		return err
	}
	s.conn = first
	verb := sc.word(" ")
	sc.blanks()
	switch verb {
	case "opens":
		s.kind = opens
		return s.ends(&sc)
	case "is":
		s.kind = isRefused
		if !sc.take("refused") {
			return errors.New(`"is" must be followed by "refused"`)
		}
		return s.ends(&sc)
	case "->":
		s.kind = sends
		return s.send(&sc)
	case "<-":
		s.kind = expects
		return s.expect(&sc)
	case "half-closes":
		s.kind = halfCloses
	case "closes":
		s.kind = closes
	case "resets":
		s.kind = resets
	default:
		return fmt.Errorf("nothing is known of %q", line)
	}
	return nothingLeft(&sc)
}

func nothingLeft(sc *scanner) error {
	if sc.blanks() {
		return fmt.Errorf("too much on the line: %s", cut(sc.rest))
	}
	return nil
}

// ends reads "to ADDRESS" and "from ADDRESS". From "remote" is an address that is
// not a loopback one, of the family of the other end.
func (s *Step) ends(sc *scanner) error {
	for sc.blanks() {
		which := sc.word(" ")
		sc.blanks()
		end := End(sc.word(" "))
		switch which {
		case "to":
			s.route.To = end
		case "from":
			s.route.From = end
		default:
			return fmt.Errorf(`%q is neither "to" nor "from"`, which)
		}
	}
	if s.route.From == "remote" {
		s.route.From = OutsideIPv4
		if strings.Contains(string(s.route.To), ":") || s.route.To == OutsideIPv6 {
			s.route.From = OutsideIPv6
		}
	}
	return errors.Join(s.route.To.check(), s.route.From.check())
}

func (e End) check() error {
	if e == "" || e == OutsideIPv4 || e == OutsideIPv6 {
		return nil
	}
	_, err := netip.ParseAddr(string(e))
	return err
}

// send reads segments.
func (s *Step) send(sc *scanner) error {
	for more := true; more; more = sc.take("|") {
		b, err := sc.bytes()
		if err != nil {
			return err
		}
		if _, err := b.literal(); err != nil {
			return err
		}
		if len(b) == 0 {
			return errors.New("nothing is sent")
		}
		s.segments = append(s.segments, b)
	}
	return nothingLeft(sc)
}

// expect reads what must come, and the state of the connection then.
func (s *Step) expect(sc *scanner) error {
	if !sc.take("nothing") {
		var err error
		if s.want, err = sc.bytes(); err != nil {
			return err
		}
		if len(s.want) == 0 {
			return errors.New(`bytes or "nothing" must come`)
		}
	}
	if !sc.take(",") || !sc.blanks() {
		return errors.New(`"open" or "closed" must follow a comma`)
	}
	s.state = sc.word(" ")
	if s.state != "open" && s.state != "closed" {
		return fmt.Errorf(`the connection is "open" or "closed" then, not %q`, s.state)
	}
	if sc.blanks() {
		from, to, _ := strings.Cut(sc.word(" "), "..")
		var err1, err2 error
		s.after.min, err1 = time.ParseDuration(from)
		s.after.max, err2 = time.ParseDuration(to)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if s.after.max <= s.after.min || s.state != "closed" {
			return errors.New(`a span like 1s..3s may stand behind "closed"`)
		}
	}
	return nothingLeft(sc)
}
