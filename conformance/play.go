package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// tick is how long one look at a connection takes at most.
	tick = 20 * time.Millisecond
	// quietGap is between segments, and quietOpen before "nothing more comes" holds,
	// where a barrier tells nothing.
	quietGap  = 100 * time.Millisecond
	quietOpen = 300 * time.Millisecond
	// lastChance is how long something that did not happen by the barrier is waited
	// for. Only failures take that long.
	lastChance = time.Second
	// resetGap is how long a reset takes to arrive: nothing tells when it has.
	resetGap = 5 * time.Millisecond
	// maxTrace bounds the events that a result keeps.
	maxTrace = 200
)

// play is a scenario under way.
type play struct {
	daemon Daemon
	quiet  bool
	settle time.Duration
	// answersLate says that the daemon is to read at once, and to answer late.
	answersLate bool

	conns  map[string]Conn
	values *bindings
	began  time.Time
	first  time.Time // when what the step before did can have happened at the earliest
	last   time.Time // when the step before was over
	looped bool
	dead   bool // it was said that the daemon has ended
	trace  []Event
}

// playSteps plays steps to a daemon. A failure is the target's, an error this
// side's.
func playSteps(ctx context.Context, d Daemon, s Scenario, steps []Step, settle time.Duration) ([]Event, *Failure, error) {
	now := time.Now()
	p := &play{
		daemon: d, quiet: s.Quiet, settle: settle, conns: make(map[string]Conn),
		answersLate: slices.Contains(s.Daemon.Flags, "-delay_write") && !slices.Contains(s.Daemon.Flags, "-delay_accept"),
		values:      newBindings(d.Port()), began: now, first: now, last: now,
	}
	failure, err := p.all(ctx, steps)
	switch {
	case failure != nil:
		failure.What += p.ended(ctx, 5*tick)
	case err == nil && !slices.ContainsFunc(steps, func(s Step) bool { return s.kind == exits }):
		failure, err = p.lives(ctx, steps)
	}
	for _, c := range p.conns {
		_ = c.Close() // the scenario is over
	}
	return p.trace, failure, err
}

// lives says that the daemon does not live at the end of a scenario: then its death was
// taken for what the last step waited for.
func (p *play) lives(ctx context.Context, steps []Step) (*Failure, error) {
	last := &Failure{Step: len(steps), Text: steps[len(steps)-1].text}
	if p.quiet { // it may answer nobody
		if end := p.ended(ctx, tick); end != "" {
			last.What = "all was as expected" + end
			return last, nil
		}
		return nil, nil
	}
	err := barrier(ctx, p.daemon)
	if f := p.blame(ctx, err); f != nil {
		last.What = "afterwards " + f.What
		return last, nil
	}
	return nil, err
}

// blame is the failure that an error is the target's; nil if it is not.
func (p *play) blame(ctx context.Context, err error) *Failure {
	for fault, what := range map[error]string{
		ErrRefused: "nobody listens there", errUnanswered: errUnanswered.Error(), errSilent: errSilent.Error(),
	} {
		if errors.Is(err, fault) {
			return &Failure{What: what + p.ended(ctx, lastChance), silent: fault == errSilent}
		}
	}
	return nil
}

func (p *play) all(ctx context.Context, steps []Step) (*Failure, error) {
	for i, s := range steps {
		// What follows on the same connection waits for the daemon by itself.
		followed := i+1 < len(steps) && steps[i+1].kind == expects && steps[i+1].conn == s.conn
		began := time.Now()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		failure, err := p.step(ctx, i+1, s, followed)
		if f := p.blame(ctx, err); f != nil {
			failure, err = f, nil
		}
		if failure != nil && failure.Step == 0 {
			failure.Step, failure.Text = i+1, s.text
		}
		if err != nil {
			err = fmt.Errorf("step %d, %s: %w", i+1, s.text, err)
		}
		if failure != nil || err != nil {
			return failure, err
		}
		p.last = time.Now()
		if p.first = began; s.kind == waits {
			p.first = p.last
		}
	}
	return nil, nil
}

// note keeps an event.
func (p *play) note(e Event, failed bool) {
	if len(p.trace) < maxTrace && (!p.looped || failed) {
		e.At = time.Since(p.began)
		p.trace = append(p.trace, e)
	}
}

func (p *play) step(ctx context.Context, n int, s Step, followed bool) (*Failure, error) {
	event := Event{Step: n, Text: s.text}
	switch s.kind {
	case loops:
		return p.loop(ctx, n, s)
	case expects:
		return p.expect(ctx, event, s)
	case exits:
		return p.exit(ctx, event, s)
	case runs:
		return p.run(ctx, event, s)
	case isRefused:
		return p.refused(ctx, event, s)
	}
	var err error
	switch s.kind {
	case waits:
		err = pause(ctx, s.pause)
	case opens:
		err = p.open(ctx, s.conn, s.route)
	case sends:
		event.Sent = s.segments
		err = p.send(ctx, s)
	case halfCloses:
		err = p.with(ctx, s.conn, Conn.HalfClose)
	case closes:
		err = p.with(ctx, s.conn, func(c Conn) (err error) {
			followed, err = hangUp(c)
			return err
		})
		delete(p.conns, s.conn)
	case resets:
		err = p.with(ctx, s.conn, func(c Conn) error {
			p.taken(c)
			return c.Reset()
		})
		if err == nil {
			time.Sleep(resetGap)
		}
		delete(p.conns, s.conn)
	}
	p.note(event, err != nil)
	if s.kind == halfCloses && err == nil {
		arrive(p.conns[s.conn])
	}
	if err == nil && !followed && s.kind != waits && s.kind != opens {
		err = p.pass(ctx)
	}
	return nil, err
}

// pause waits, or until the run is over.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ended says whether the daemon has ended, or does within some time, and what it said last.
func (p *play) ended(ctx context.Context, wait time.Duration) string {
	if p.dead {
		return "" // it was said
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	status, err := p.daemon.Exit(ctx)
	if err != nil {
		return ""
	}
	p.dead = true
	text := fmt.Sprintf("; the daemon has died: it ended with status %d", status)
	if d, ok := p.daemon.(interface{ Said() string }); ok {
		text += lastLines(d.Said())
	}
	return text
}

// saidLines is how many lines are shown of what a daemon said before it ended.
const saidLines = 8

// lastLines are the last lines of a text, each on one of its own.
func lastLines(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if lines[0] == "" {
		return ""
	}
	if more := len(lines) - saidLines; more > 0 {
		lines = append([]string{"…"}, lines[more:]...)
	}
	return ". It said:\n" + strings.Join(lines, "\n")
}

// hangUp closes a connection, once the daemon's system knows that there is nothing to
// come. It says whether the daemon was seen to close its side, too: then it has dealt
// with the end.
func hangUp(c Conn) (seen bool, err error) {
	if err := c.HalfClose(); err != nil {
		return false, err
	}
	arrive(c)
	_, state, err := c.Recv(nil, tick)
	return state == WasClosed, errors.Join(err, c.Close())
}

// arrive waits until the daemon's system has what was sent, where that can be known.
func arrive(c Conn) {
	if d, ok := c.(interface{ Delivered() }); ok {
		d.Delivered()
	}
}

// taken waits, before more happens on a connection, until a daemon that answers late has
// read what was sent, where that can be known: it would read more with it, and a reset
// would take it away.
func (p *play) taken(c Conn) {
	if d, ok := c.(interface{ Taken() }); ok && p.answersLate {
		d.Taken()
	}
}

// pass returns when the daemon has dealt with what was sent.
func (p *play) pass(ctx context.Context) error {
	if p.quiet {
		time.Sleep(quietGap)
		return nil
	}
	err := barrier(ctx, p.daemon)
	if err == nil && !p.looped {
		time.Sleep(p.settle / 4) // it may have a thread for each connection
	}
	return err
}

func (p *play) open(ctx context.Context, name string, r Route) error {
	if old := p.conns[name]; old != nil {
		if err := old.Close(); err != nil {
			return err
		}
	}
	c, err := p.daemon.Dial(ctx, r)
	if err == nil {
		p.conns[name] = c
	}
	return err
}

// with calls a connection, which it opens if need be.
func (p *play) with(ctx context.Context, name string, call func(Conn) error) error {
	if p.conns[name] == nil {
		if err := p.open(ctx, name, Route{}); err != nil {
			return err
		}
	}
	return call(p.conns[name])
}

func (p *play) send(ctx context.Context, s Step) error {
	for i, segment := range s.segments {
		if i > 0 {
			if err := p.pass(ctx); err != nil {
				return err
			}
		}
		b, err := segment.literal()
		if err != nil {
			return err
		}
		err = p.with(ctx, s.conn, func(c Conn) error {
			p.taken(c)
			return c.Send(b)
		})
		if err != nil {
			return err
		}
		arrive(p.conns[s.conn])
	}
	return nil
}

func (p *play) loop(ctx context.Context, n int, s Step) (*Failure, error) {
	p.note(Event{Step: n, Text: s.text}, false)
	p.looped = true
	defer func() { p.looped = false }()
	for i := s.from; i <= s.to; i++ {
		steps, err := s.round(i)
		if err != nil {
			return nil, err
		}
		failure, err := p.all(ctx, steps)
		if failure != nil {
			failure.Step = n
			failure.What = fmt.Sprintf("round %d: %s", i, failure.What)
		}
		if failure != nil || err != nil {
			return failure, err
		}
	}
	return nil, nil
}

func (p *play) refused(ctx context.Context, event Event, s Step) (*Failure, error) {
	c, err := p.daemon.Dial(ctx, s.route)
	event.State = "refused"
	if err == nil {
		event.State = "connected"
		err = c.Close()
	}
	if errors.Is(err, ErrRefused) {
		err = nil
	}
	p.note(event, false)
	if err == nil && event.State == "connected" {
		return &Failure{What: "somebody listens there"}, nil
	}
	return nil, err
}

func (p *play) exit(ctx context.Context, event Event, s Step) (*Failure, error) {
	ctx, cancel := context.WithTimeout(ctx, patience/2)
	defer cancel()
	status, err := p.daemon.Exit(ctx)
	if errors.Is(err, ErrUnsupported) {
		return nil, err
	}
	if err != nil {
		return &Failure{What: "the daemon goes on"}, nil
	}
	event.State = fmt.Sprintf("status %d", status)
	p.note(event, status != s.status)
	return checkStatus(status, s.status), nil
}

func checkStatus(got, want int) *Failure {
	if got != want {
		return &Failure{What: fmt.Sprintf("it ended with status %d, not %d", got, want)}
	}
	return nil
}

// run runs a command of the target's own program.
func (p *play) run(ctx context.Context, event Event, s Step) (*Failure, error) {
	call := s.call
	var err error
	if call.Args, err = outsides(call.Args); err != nil {
		return nil, err
	}
	if call.Env, err = outsides(call.Env); err != nil {
		return nil, err
	}
	out, err := p.daemon.Command(ctx, call)
	if err != nil {
		return nil, err
	}
	event.State = fmt.Sprintf("status %d", out.Status)
	event.Expected, event.Got = s.out, out.Stdout
	failure := p.compare(s.out, out.Stdout, "standard output: ")
	if failure == nil {
		failure = p.compare(s.err, out.Stderr, "standard error: ")
	}
	if failure == nil {
		failure = checkStatus(out.Status, s.status)
	}
	p.note(event, failure != nil)
	return failure, nil
}

func (p *play) compare(want Bytes, got []byte, where string) *Failure {
	if m := p.values.match(want, got); m != nil {
		return &Failure{What: where + m.what, Expected: want, Got: got, At: m.at}
	}
	return nil
}
