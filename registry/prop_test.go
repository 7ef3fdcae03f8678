package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"github.com/stretchr/testify/require"

	rules "github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// call is one call of a registry.
type call struct {
	kind  string // register, lookup, release, stop, names, dump or clock; with 3 for transports
	owner uint64
	node  wire.Node // of a lookup and a stop only the name
	of    []string  // transports to look up
	sec   int64     // how far the clock goes on
}

func (c call) String() string {
	return fmt.Sprintf("%s(%d, %s, %s, %d, %q, %d)", c.kind, c.owner, rules.Short(c.node.Name), rules.Short(c.node.Transport), c.node.Highest, c.of, c.sec)
}

func randomCall(r *rand.Rand) commands.Command {
	kinds := []string{
		"register", "register", "register", "release", "release", "stop", "lookup", "names", "dump", "clock",
		"register3", "register3", "register3", "register3", "lookup3", "names3", "dump3",
	}
	c := call{
		kind:  kinds[r.Intn(len(kinds))],
		owner: uint64(r.Intn(6)),
		node:  rules.Node(r, rules.Name(r)),
		sec:   int64(r.Intn(100)),
	}
	c.node.Transport = rules.Transport(r)
	for range r.Intn(3) {
		c.of = append(c.of, rules.Transport(r))
	}
	if r.Intn(10) == 0 {
		c.sec = 1<<32 - 100 // counters wrap around
	}
	return c
}

// calls is the model between two calls. It never changes.
type calls struct {
	names  rules.Names
	now    int64
	origin rules.Origin
	said   []string // what the registry may say to the last call, any of them
}

// outcome is what a registry said to a call, and how it is after it.
type outcome struct {
	said      string
	live, old []rules.Entry
	err       error // of Verify
	met       map[rules.Origin]int
}

// tested is the registry that is held to the model, and how often it met what.
type tested struct {
	*registry.Registry
	*clock
	met map[rules.Origin]int
}

func (c call) PreCondition(commands.State) bool { return true }

func (c call) NextState(s commands.State) commands.State {
	old := s.(*calls)
	next := &calls{names: old.names.Clone(), now: old.now}
	say := func(format string, args ...any) { next.said = append(next.said, fmt.Sprintf(format, args...)) }
	switch c.kind {
	case "register", "register3":
		register := next.names.Register
		if c.kind == "register3" {
			register = next.names.RegisterTransport
		}
		o := register(next.now, c.owner, c.node)
		next.origin = o.Origin
		for _, rule := range o.Broken {
			say("refused: %s", rule)
		}
		if len(o.Broken) == 0 {
			say("%d", o.Creation)
		}
	case "lookup":
		e, found := next.names.Lookup(c.node.Name)
		say("%v %v %v", e.Node, found, e.Owner)
	case "release":
		next.names.Release(c.owner)
		say("")
	case "stop":
		say("%v", next.names.Stop(c.node.Name))
	case "lookup3":
		e, list, found := next.names.LookupTransports(c.node.Name, c.lookedUp())
		text := ""
		for _, h := range list {
			text += fmt.Sprintf("%d#%s ", h.Port, h.Name)
		}
		e.Node.Transport = ""
		if !found {
			e = rules.Entry{}
		}
		say("%v %v %v", e.Node, found, text)
	case "names3":
		say("%s", next.names.Names3(c.node.Port))
	case "dump3":
		say("%s", next.names.Dump3(c.node.Port))
	case "names":
		say("%s", next.names.Names(c.node.Port))
	case "dump":
		say("%s", next.names.Dump(c.node.Port))
	case "clock":
		next.now += c.sec
		say("")
	}
	return next
}

func (c call) Run(sut commands.SystemUnderTest) commands.Result {
	r, said := sut.(tested), ""
	name := []byte(c.node.Name)
	switch c.kind {
	case "register", "register3":
		register := r.Register
		if c.kind == "register3" {
			register = r.RegisterTransport
		}
		creation, err := register(registry.Owner(c.owner), c.node)
		var refusal registry.Refusal
		switch {
		case errors.As(err, &refusal):
			said = "refused: " + refusal.String()
		default:
			said = fmt.Sprint(creation)
		}
	case "lookup":
		n, found := r.Lookup(name)
		owner, held := r.Holder(name)
		said = fmt.Sprintf("%v %v %v", n, found && held, owner)
	case "release":
		r.Release(registry.Owner(c.owner), registry.ReasonClosed)
	case "stop":
		said = fmt.Sprint(r.Unregister(name, registry.ReasonStopped))
	case "lookup3":
		list, err := wire.AppendTransports(nil, c.lookedUp()...)
		if err != nil {
			panic(err) // lookedUp leaves them out
		}
		n, of, found := r.LookupTransports(name, list, nil)
		if !found {
			n = wire.Node{}
		}
		text := ""
		for _, t := range of {
			text += fmt.Sprintf("%d#%s ", t.Port, t.Name)
		}
		said = fmt.Sprintf("%v %v %v", n, found, text)
	case "names3":
		said = string(r.Names3(uint32(c.node.Port)))
	case "dump3":
		said = string(r.Dump3(uint32(c.node.Port)))
	case "names":
		said = string(r.Names(uint32(c.node.Port)))
	case "dump":
		said = string(r.Dump(uint32(c.node.Port)))
	case "clock":
		r.t = r.t.Add(time.Duration(c.sec) * time.Second)
	}
	snapshot := r.Snapshot()
	return outcome{said, entries(snapshot.Nodes), entries(snapshot.Old), r.Verify(), r.met}
}

func (c call) PostCondition(s commands.State, result commands.Result) *gopter.PropResult {
	want, got := s.(*calls), result.(outcome)
	old, live := withoutTurns(want.names.Old), withoutTurns(want.names.Live)
	for i := range old {
		old[i].Node.Extra = "" // the registry need not remember it
	}
	got.met[want.origin]++
	switch {
	case !slices.Contains(want.said, got.said):
		return falsified("%v: want %q, got %q", c, want.said, got.said)
	case fmt.Sprint(live) != fmt.Sprint(got.live):
		return falsified("%v: want %v registered, got %v", c, live, got.live)
	case fmt.Sprint(old) != fmt.Sprint(got.old):
		return falsified("%v: want %v remembered, got %v", c, old, got.old)
	case got.err != nil:
		return falsified("%v: %v", c, got.err)
	}
	return gopter.NewPropResult(true, "")
}

// entries is a part of a snapshot as the model has it.
func entries(of []registry.Entry) (out []rules.Entry) {
	for _, e := range of {
		entry := rules.Entry{Node: e.Node, Owner: uint64(e.Owner), Counter: e.Counter}
		for _, t := range e.Transports {
			entry.Transports = append(entry.Transports, rules.Held{Name: t.Name, Port: t.Port, Owner: uint64(t.Owner)})
		}
		out = append(out, entry)
	}
	return out
}

// withoutTurns is entries as a registry can tell them.
func withoutTurns(of []rules.Entry) []rules.Entry {
	of = slices.Clone(of)
	for i := range of {
		of[i].Transports = slices.Clone(of[i].Transports)
		for k := range of[i].Transports {
			of[i].Transports[k].Turn = 0
		}
	}
	return of
}

// lookedUp is the transports that can be asked for.
func (c call) lookedUp() []string {
	return slices.DeleteFunc(slices.Clone(c.of), func(t string) bool { return len(t) > wire.MaxTransportLen })
}

func falsified(format string, args ...any) *gopter.PropResult {
	return gopter.NewPropResult(false, fmt.Sprintf(format, args...))
}

// TestPropModel holds the registry to the model, call by call, with a border so
// low that records are taken over all the time.
func TestPropModel(t *testing.T) {
	const remember, maxHeld = 3, 8
	met := make(map[rules.Origin]int)
	property.Holds(t, 120, 150, commands.Prop(&commands.ProtoCommands{
		InitialStateGen: gen.Const(&calls{names: rules.Names{Remember: remember, MaxHeld: maxHeld}, now: 1000}),
		NewSystemUnderTestFunc: func(commands.State) commands.SystemUnderTest {
			c := new(clock)
			c.set(1000)
			return tested{registry.New(registry.Config{Now: c.now, Remember: remember, MaxHeld: maxHeld}), c, met}
		},
		GenCommandFunc: func(commands.State) gopter.Gen { return property.Gen(randomCall) },
	}))
	t.Logf("registrations: %v", met)
	for _, origin := range []rules.Origin{rules.Fresh, rules.Returned, rules.TookOver, rules.Joined} {
		require.Greater(t, met[origin], 100, "%s", origin)
	}
}

// border is a registry's life around the real border: how many more or fewer names
// than that leave, in which order, and which of them and of new ones come after.
type border struct {
	more   int
	leave  []int
	comers []string
}

func (b border) String() string { return fmt.Sprintf("%d more, then %q", b.more, b.comers) }

func randomBorder(r *rand.Rand) border {
	b := border{more: r.Intn(12) - 2}
	b.leave = r.Perm(registry.DefaultRemember + b.more)
	for i := range 40 {
		if r.Intn(3) == 0 {
			b.comers = append(b.comers, numbered(r.Intn(len(b.leave))))
		} else {
			b.comers = append(b.comers, fmt.Sprintf("new%d", i))
		}
	}
	return b
}

// TestPropBorder is the takeover at the border that OTP's epmd has.
func TestPropBorder(t *testing.T) {
	met := make(map[rules.Origin]int)
	property.Holds(t, 10, 1, prop.ForAll(func(b border) string {
		r, clock := newRegistry(0)
		m := rules.Names{Remember: registry.DefaultRemember}
		register := func(now int64, name string) string {
			clock.set(now)
			n := otpNode(name, uint16(now))
			want := m.Register(now, uint64(now), n)
			got, err := r.Register(registry.Owner(now), n)
			met[want.Origin]++
			if want.Creation != got || (len(want.Broken) > 0) != (err != nil) {
				return fmt.Sprintf("%s: want %v, got %d, %v", name, want, got, err)
			}
			return ""
		}
		leave := func(owner int) {
			m.Release(uint64(owner))
			r.Release(registry.Owner(owner), registry.ReasonClosed)
		}
		for i := range b.leave {
			if fault := register(int64(10_000+i), numbered(i)); fault != "" {
				return fault
			}
		}
		for _, i := range b.leave {
			leave(10_000 + i)
		}
		for i, name := range b.comers {
			if fault := register(int64(20_000+i), name); fault != "" {
				return fault
			}
			if i%3 == 0 {
				leave(20_000 + i)
			}
		}
		if m.Dump(port) != string(r.Dump(port)) {
			return "the dumps differ"
		}
		return ""
	}, property.Gen(randomBorder)))
	t.Logf("registrations: %v", met)
	for _, origin := range []rules.Origin{rules.Fresh, rules.Returned, rules.TookOver} {
		require.Greater(t, met[origin], 10, "%s", origin)
	}
}

// step is one thing that a client does to a daemon.
type step struct {
	kind string // request, close or data
	body string // of a request
	pick int    // which of the kept connections is closed, or sent data on
}

func (s step) String() string { return fmt.Sprintf("%s(%s, %d)", s.kind, rules.Short(s.body), s.pick) }

func randomStep(r *rand.Rand) commands.Command {
	s := step{kind: "request", body: rules.Body(r), pick: r.Intn(1 << 10)}
	switch r.Intn(10) {
	case 0:
		s.body = string(rules.Mutate(r, []byte(s.body)))
	case 1, 2, 3:
		s.kind = "close"
	case 4:
		s.kind = "data"
	}
	return s
}

// conversation is the model of a daemon between two steps. It never changes.
type conversation struct {
	daemon rules.Daemon
	next   uint64   // number of the next connection
	kept   []uint64 // the connections that were kept, until they are closed from here
	want   rules.Answer
}

// lifetime is the time in seconds from one connection to the next in the rules. It
// is longer than a conversation, so a counter tells at which it began.
const lifetime = 10_000

// PreCondition leaves KILL_REQ out, which would end the daemon.
func (s step) PreCondition(commands.State) bool { return s.body[0] != byte(wire.TagKillReq) }

func (s step) NextState(state commands.State) commands.State {
	old := state.(*conversation)
	next := &conversation{daemon: old.daemon, next: old.next, kept: slices.Clone(old.kept)}
	next.daemon.Names = old.daemon.Clone()
	if s.kind == "request" {
		next.next++
		next.want = next.daemon.Answer(int64(next.next)*lifetime, next.next, true, s.body)
		if next.want.Kept {
			next.kept = append(next.kept, next.next)
		}
	} else if n := len(next.kept); n > 0 {
		at := s.pick % n
		next.daemon.End(next.kept[at])
		next.kept = slices.Delete(next.kept, at, at+1)
	}
	return next
}

// daemon is OTP's epmd.
type daemon struct {
	*testbed.Process
	kept []*testbed.Conn
	// offset is how much higher the daemon's counters are than the model's, for
	// each beginning.
	offset map[uint32]uint32
	met    map[rules.Origin]int
}

// patience is how long anything may take that should happen at once.
const patience = 20 * time.Second

// tolerance is between the clocks that the system tells programs.
const tolerance = 100 * time.Millisecond

// startEpmd starts OTP's epmd and waits until it answers.
func startEpmd(t *testing.T, path string, met map[rules.Origin]int) *daemon {
	p, err := testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
		// With -d it remembers but 5 names.
		return testbed.Command(path, "-d", "-relaxed_command_check", "-address", "127.0.0.1", "-port", fmt.Sprint(port))
	})
	require.NoError(t, err)
	return &daemon{Process: p, offset: make(map[uint32]uint32), met: met}
}

func (d *daemon) stop() {
	for _, c := range d.kept {
		forget(c)
	}
	d.Stop()
}

// ask sends a request in one piece and reads the answer: to the end, or up to that
// of an ALIVE2_RESP, whose connection it returns.
func (d *daemon) ask(body string) (reply []byte, kept *testbed.Conn, err error) {
	c, err := testbed.Dial(context.Background(), net.Dialer{}, testbed.Loopback(d.Port))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if kept == nil {
			forget(c)
		}
	}()
	if err := c.Send([]byte(rules.Packet(body))); err != nil {
		return nil, nil, err
	}
	for {
		reply, err = c.Recv(reply, patience)
		_, _, incomplete := wire.ParseAlive2Resp(reply)
		switch {
		case body[0] == byte(wire.TagAlive2Req) && incomplete == nil:
			return reply, c, nil
		case errors.Is(err, io.EOF):
			return reply, nil, nil
		case err != nil:
			return reply, nil, err
		}
	}
}

// answer is what a daemon did.
type answer struct {
	daemon        *daemon
	reply         []byte
	kept          bool
	before, after time.Time
	err           error
}

func (s step) Run(sut commands.SystemUnderTest) commands.Result {
	d := sut.(*daemon)
	a := answer{daemon: d, before: time.Now()}
	if s.kind == "request" {
		var c *testbed.Conn
		a.reply, c, a.err = d.ask(s.body)
		if c != nil {
			a.kept = true
			d.kept = append(d.kept, c)
		}
	} else if n := len(d.kept); n > 0 {
		at := s.pick % n
		a.err = end(d.kept[at], s.kind == "data")
		d.kept = slices.Delete(d.kept, at, at+1)
	}
	a.after = time.Now()
	return a
}

// end ends a connection, or sends a byte that does, and waits until the daemon has
// closed it too: it has unregistered the name by then.
func end(c *testbed.Conn, data bool) error {
	defer forget(c)
	var err error
	if data {
		err = c.Send([]byte{0})
	} else {
		err = c.HalfClose()
	}
	if err != nil {
		return err
	}
	rest, err := c.RecvAll(patience)
	if err != nil && !errors.Is(err, testbed.ErrReset) {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("more than a reply: %q", rest)
	}
	return nil
}

// forget closes a connection whose other side has closed, or does not matter any
// more. The system need not remember it: it remembers only so many.
func forget(c *testbed.Conn) {
	_ = c.Reset() // nothing is lost in it
}

func (s step) PostCondition(state commands.State, result commands.Result) *gopter.PropResult {
	want, got := state.(*conversation).want, result.(answer)
	got.daemon.met[want.Outcome.Origin]++
	if len(want.Outcome.Broken) > 0 {
		got.daemon.met["refused"]++
	}
	switch {
	case got.err != nil:
		return falsified("%v: %v", s, got.err)
	case want.Kept != got.kept:
		return falsified("%v: kept is %v", s, got.kept)
	case want.Outcome.Origin != "":
		if err := got.registered(want); err != nil {
			return falsified("%v: %v", s, err)
		}
	case !bytes.Equal(got.comparable(s.body), withoutFDs([]byte(want.Reply))):
		return falsified("%v: want %s, got %s", s, rules.Short(want.Reply), rules.Short(got.reply))
	}
	return gopter.NewPropResult(true, "")
}

// registered wants the answer to a registration. The counters of the daemon are
// those of the model, but that the model has another time.
func (a answer) registered(want rules.Answer) error {
	resp, _, err := wire.ParseAlive2Resp(a.reply)
	if err != nil {
		return err
	}
	if resp.Result != 0 || len(a.reply) != len(want.Reply) {
		return fmt.Errorf("want %q, got %q", want.Reply, a.reply)
	}
	begun := want.Outcome.Counter / lifetime
	offset, known := a.daemon.offset[begun]
	switch {
	case !known && !resp.Extended: // one of three tells too little
		if resp.Creation < 1 || resp.Creation > 3 {
			return fmt.Errorf("a creation of %d", resp.Creation)
		}
	case !known:
		a.daemon.offset[begun] = resp.Creation - want.Outcome.Counter
		// It reads a clock that may be some milliseconds late.
		first, last := uint32(a.before.Add(-tolerance).Unix()+1), uint32(a.after.Unix()+1)
		if want.Outcome.Origin == rules.Fresh && (resp.Creation < first || resp.Creation > last) {
			return fmt.Errorf("a new name's creation is %d, not within %d to %d", resp.Creation, first, last)
		}
	case resp.Extended && resp.Creation != want.Outcome.Counter+offset,
		!resp.Extended && resp.Creation != rules.Creation(want.Outcome.Counter+offset, 5):
		return fmt.Errorf("want counter %d, got creation %d", want.Outcome.Counter+offset, resp.Creation)
	}
	return nil
}

// comparable is the reply as the model tells it: it has no port.
func (a answer) comparable(body string) []byte {
	b := bytes.Clone(a.reply)
	if tag := wire.Tag(body[0]); tag == wire.TagNamesReq || tag == wire.TagDumpReq {
		if port, _, err := wire.ParseListPort(b); err == nil && port == uint32(a.daemon.Port) {
			copy(b, "\x00\x00\x00\x00")
		}
	}
	return withoutFDs(b)
}

var fds = regexp.MustCompile(`, fd = \d+( ?\n\x00)`)

// withoutFDs leaves out what each daemon numbers in its own way.
func withoutFDs(b []byte) []byte { return fds.ReplaceAll(b, []byte("$1")) }

// TestPropOTP holds OTP's own epmd to the model, so that the model can be trusted
// to judge ours.
func TestPropOTP(t *testing.T) {
	path := otptest.Epmd(t)
	met := make(map[rules.Origin]int)
	start := &conversation{daemon: rules.Daemon{Names: rules.Names{Remember: registry.DebugRemember}, Relaxed: true}}
	property.Holds(t, 25, 200, commands.Prop(&commands.ProtoCommands{
		InitialStateGen:            gen.Const(start),
		NewSystemUnderTestFunc:     func(commands.State) commands.SystemUnderTest { return startEpmd(t, path, met) },
		DestroySystemUnderTestFunc: func(sut commands.SystemUnderTest) { sut.(*daemon).stop() },
		GenCommandFunc:             func(commands.State) gopter.Gen { return property.Gen(randomStep) },
	}))
	t.Logf("registrations: %v", met)
	for _, origin := range []rules.Origin{rules.Fresh, rules.Returned, rules.TookOver, "refused"} {
		require.Greater(t, met[origin], 10, "%s", origin)
	}
}
