package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/testbed"
)

// script is a target that answers each request as a function says, without a socket.
type script struct {
	answer func(request string) (reply string, closes bool)
	start  error
	status int // with which it ends; negative is never
	out    Output
}

func (s script) Name() string { return "script" }

func (s script) Start(context.Context, Config) (Daemon, error) {
	if s.start != nil {
		return nil, s.start
	}
	return &scriptDaemon{script: s}, nil
}

type scriptDaemon struct{ script }

func (d *scriptDaemon) Port() uint16                                     { return 0x1234 }
func (d *scriptDaemon) Close() error                                     { return nil }
func (d *scriptDaemon) Command(context.Context, Command) (Output, error) { return d.out, nil }

func (d *scriptDaemon) Dial(_ context.Context, r Route) (Conn, error) {
	if r.To == "127.0.0.9" {
		return nil, ErrRefused
	}
	return &scriptConn{daemon: d}, nil
}

func (d *scriptDaemon) Exit(context.Context) (int, error) {
	if d.status < 0 {
		return 0, errors.New("it goes on")
	}
	return d.status, nil
}

type scriptConn struct {
	daemon *scriptDaemon
	got    []byte
	state  State
}

func (c *scriptConn) Send(b []byte) error {
	if string(b) == string(barrierRequest) {
		c.got, c.state = []byte("w\x01"), WasClosed
		return nil
	}
	reply, closes := c.daemon.answer(string(b))
	c.got = append(c.got, reply...)
	if closes {
		c.state = WasClosed
	}
	return nil
}

func (c *scriptConn) HalfClose() error { return nil }
func (c *scriptConn) Close() error     { return nil }
func (c *scriptConn) Reset() error     { return nil }

func (c *scriptConn) Recv(b []byte, _ time.Duration) ([]byte, State, error) {
	b = append(b, c.got...)
	c.got = nil
	return b, c.state, nil
}

// one loads a scenario with these steps.
func one(t *testing.T, rest string) Scenario {
	t.Helper()
	all, err := Load(fstest.MapFS{"x.yaml": {Data: []byte("area: x\nabout: this\nscenarios:\n  - name: s\n    rule: r\n" + rest)}})
	require.NoError(t, err)
	return all[0]
}

func always(reply string, closes bool) func(string) (string, bool) {
	return func(string) (string, bool) { return reply, closes }
}

func TestVerdicts(t *testing.T) {
	const steps = "    steps: [a -> 00, 'a <- 6162, closed']\n"
	good := script{answer: always("ab", true), status: -1}
	tests := map[string]struct {
		steps   string
		target  script
		verdict Verdict
		what    string // in the failure or the reason
		at      int
	}{
		"passed":            {steps, good, Passed, "", 0},
		"another byte":      {steps, script{answer: always("ac", true)}, Failed, "63 instead of 62", 1},
		"too few":           {steps, script{answer: always("a", true)}, Failed, "too few, and it is closed", 1},
		"too many":          {steps, script{answer: always("abc", true)}, Failed, "too many", 2},
		"too few and open":  {steps, script{answer: always("a", false)}, Failed, "too few", 1},
		"open":              {steps, script{answer: always("ab", false)}, Failed, "it is open, but should be closed", 2},
		"closed":            {"    steps: [a -> 00, 'a <- 6162, open']\n", good, Failed, "it is closed, but should be open", 2},
		"too early":         {"    steps: [a -> 00, 'a <- 6162, closed 5s..6s']\n", good, Failed, "too early", 2},
		"skipped":           {steps, script{start: Unsupported("for once")}, Skipped, "for once", 0},
		"broken":            {steps, script{start: errors.New("no such program")}, Broken, "no such program", 0},
		"ended":             {steps, script{start: &ExitError{Output{Status: 3}}}, Failed, "status 3", 0},
		"meant to end":      {"    steps: [exits 3]\n", script{start: &ExitError{Output{Status: 3}}}, Passed, "", 0},
		"ends otherwise":    {"    steps: [exits 1]\n", script{start: &ExitError{Output{Status: 3}}}, Failed, "status 3, not 1", 0},
		"ends later":        {"    steps: [a -> 00, exits 0]\n", script{answer: always("", true)}, Passed, "", 0},
		"does not end":      {"    steps: [a -> 00, exits 0]\n", good, Failed, "the daemon goes on", 0},
		"refused":           {"    steps: [a is refused to 127.0.0.9]\n", good, Passed, "", 0},
		"not refused":       {"    steps: [a is refused to 127.0.0.8]\n", good, Failed, "somebody listens there", 0},
		"not reached":       {"    steps: [a opens to 127.0.0.9, 'a <- 00, open']\n", good, Failed, "nobody listens there", 0},
		"command":           {"    steps: [{run: -names, out: '\"x\"', err: '\"y\"', status: 1}]\n", script{out: Output{[]byte("x"), []byte("y"), 1}}, Passed, "", 0},
		"command says":      {"    steps: [{run: -names, out: '\"x\"'}]\n", script{out: Output{Stdout: []byte("z")}}, Failed, "standard output: 7a", 0},
		"command complains": {"    steps: [{run: -names, out: nothing}]\n", script{out: Output{Stderr: []byte("z")}}, Failed, "standard error: 1 bytes", 0},
		"command ends":      {"    steps: [{run: -names, out: nothing}]\n", script{out: Output{Status: 1}}, Failed, "status 1, not 0", 0},
		"loop":              {"    steps: [{for: i in 1..3, do: ['c$i -> 00', 'c$i <- 6162, closed']}]\n", good, Passed, "", 0},
		"loop fails":        {"    steps: [{for: i in 1..3, do: ['c$i -> 00', 'c$i <- 6162, open']}]\n", good, Failed, "round 1: it is closed", 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := Runner{Settle: -1}.One(t.Context(), tt.target, 0, one(t, tt.steps))
			require.Equal(t, tt.verdict, res.Verdict, "%+v", res)
			if res.Failure != nil {
				require.Contains(t, res.Failure.What, tt.what)
				require.Equal(t, tt.at, res.Failure.At)
				require.NotZero(t, res.Failure.Step)
				require.NotEmpty(t, res.Failure.Text)
			} else {
				require.Contains(t, res.Reason, tt.what)
			}
		})
	}
}

// TestVariants: a target that may be like any version is told which one it is like.
func TestVariants(t *testing.T) {
	s := one(t, `    steps: [a -> 00, 'a <- 61, closed']
    differs:
      - {since: 27, why: w, steps: [a -> 00, 'a <- 62, closed']}
      - {since: 29, why: w, steps: [a -> 00, 'a <- 63, closed']}
`)
	r := Runner{Settle: -1}
	for reply, like := range map[string]int{"a": 0, "b": 27, "c": 29} {
		res := r.One(t.Context(), script{answer: always(reply, true)}, 0, s)
		require.Equal(t, Passed, res.Verdict)
		require.Equal(t, like, res.Like)
		for _, otp := range []int{23, 26, 27, 28, 29, 30} {
			right := map[string]bool{"a": otp < 27, "b": otp >= 27 && otp < 29, "c": otp >= 29}[reply]
			res := r.One(t.Context(), script{answer: always(reply, true)}, otp, s)
			require.Equal(t, right, res.Verdict == Passed, "OTP %d, %s", otp, reply)
		}
	}
	res := r.One(t.Context(), script{answer: always("d", true)}, 0, s)
	require.Equal(t, Failed, res.Verdict)
}

// TestDeviations: a target is held to the steps of its deviation, and to no others.
func TestDeviations(t *testing.T) {
	s := one(t, "    steps: [a -> 00, 'a <- 61, closed']\n")
	read := func(text string) (Deviations, error) { return ReadDeviations([]byte(text), []Scenario{s}) }
	d, err := read("s: {why: it is better so, steps: [a -> 00, 'a <- 62, closed']}")
	require.NoError(t, err)
	r := Runner{Settle: -1, Deviations: d}
	res := r.One(t.Context(), script{answer: always("b", true), status: -1}, 0, s)
	require.Equal(t, Deviates, res.Verdict, "%+v", res)
	require.Equal(t, "it is better so", res.Reason)
	for _, other := range []string{"a", "c", ""} {
		res = r.One(t.Context(), script{answer: always(other, true), status: -1}, 0, s)
		require.Equal(t, Failed, res.Verdict, other)
	}
	for text, want := range map[string]string{
		"t: {why: w, steps: [a -> 00, 'a <- 62, closed']}": "there is no scenario t",
		"s: {steps: [a -> 00, 'a <- 62, closed']}":         "s has no reason",
		"s: {why: w}":                   "s has no steps",
		"s: {why: w, steps: [a -> 00]}": "it expects nothing",
		"s: {why: w, step: [a -> 00]}":  "step",
		"s: it is better so":            "cannot unmarshal",
	} {
		_, err := read(text)
		require.ErrorContains(t, err, want, text)
	}
}

// TestDead: a daemon that dies is called dead, and its death is not taken for what a step
// waits for.
func TestDead(t *testing.T) {
	for steps, at := range map[string]int{
		"[a -> 00, 'a <- nothing, closed']":   2, // all goes as it should, up to the end
		"[a -> 00, 'a <- 61, closed']":        2,
		"[a -> 00, b -> 00, 'b <- 61, open']": 1,
	} {
		s := one(t, "    steps: "+steps+"\n")
		d := &mortal{script: script{answer: always("", true), out: Output{Stderr: []byte("panic: oh\n\ngoroutine 1")}, status: 2}}
		res := Runner{Settle: -1}.One(t.Context(), d, 0, s)
		require.Equal(t, Failed, res.Verdict, "%s: %+v", steps, res)
		require.Equal(t, at, res.Failure.Step, "%s: %s", steps, res.Failure)
		require.Contains(t, res.Failure.What, "the daemon has died: it ended with status 2. It said:\npanic: oh", steps)
	}
	alive := script{answer: always("", true), status: -1}
	res := Runner{Settle: -1}.One(t.Context(), alive, 0, one(t, "    steps: [a -> 00, 'a <- nothing, closed']\n"))
	require.Equal(t, Passed, res.Verdict, "%+v", res)
}

// mortal is a script that dies of the first request that is no lookup.
type mortal struct{ script }

func (m *mortal) Start(context.Context, Config) (Daemon, error) {
	d := &mortalDaemon{scriptDaemon: scriptDaemon{script: m.script}}
	d.answer = func(string) (string, bool) {
		d.dead = true
		return "", true
	}
	return d, nil
}

type mortalDaemon struct {
	scriptDaemon
	dead bool
}

func (d *mortalDaemon) Said() string { return string(d.out.Stderr) }

func (d *mortalDaemon) Dial(ctx context.Context, r Route) (Conn, error) {
	if d.dead {
		return nil, ErrRefused
	}
	return d.scriptDaemon.Dial(ctx, r)
}

func (d *mortalDaemon) Exit(ctx context.Context) (int, error) {
	if !d.dead {
		return 0, errors.New("it goes on")
	}
	return d.scriptDaemon.Exit(ctx)
}

// TestLastLines: what a daemon said before it died is cut at the front.
func TestLastLines(t *testing.T) {
	require.Empty(t, lastLines(" \n"))
	require.Equal(t, ". It said:\na\nb", lastLines("a\nb\n"))
	require.Equal(t, ". It said:\n…\n2\n3\n4\n5\n6\n7\n8\n9", lastLines("1\n2\n3\n4\n5\n6\n7\n8\n9"))
}

// TestWithout: what needs a feature that the target is said not to have is skipped.
func TestWithout(t *testing.T) {
	for f, scenario := range map[Feature]string{
		Commands:  "    steps: [{run: -names, out: nothing}]\n",
		Flags:     "    daemon: {port_by_env: true}\n    steps: [a -> 00, 'a <- 61, closed']\n",
		Addresses: "    steps: [a opens to 127.0.0.5, 'a <- 61, closed']\n",
		Relaxed:   "    daemon: {env: [ERL_EPMD_RELAXED_COMMAND_CHECK=1]}\n    steps: [a -> 00, 'a <- 61, closed']\n",
		Timeout:   "    daemon: {flags: [-packet_timeout, \"1\"]}\n    steps: [a -> 00, 'a <- 61, closed']\n",
		Delay:     "    daemon: {flags: [-delay_write, \"1\"]}\n    steps: [a -> 00, 'a <- 61, closed']\n",
		Files:     "    daemon: {files: 9}\n    steps: [a -> 00, 'a <- 61, closed']\n",
		Dump:      "    steps: [a -> DUMP_REQ, 'a <- 61, closed']\n",
		Kill:      "    steps: [{for: i in 1..2, do: [a -> KILL_REQ, 'a <- 61, closed']}]\n",
		Stop:      "    steps: [a -> STOP_REQ(name=x), 'a <- 61, closed']\n",
		Extension: "    daemon: {multi_transport: true}\n    steps: [a -> 00, 'a <- 61, closed']\n",
	} {
		s := one(t, scenario)
		other := Features[0]
		if f == other {
			other = Files
		}
		for without, want := range map[Feature]Verdict{f: Skipped, other: Failed} {
			if f == Extension && without == Commands {
				want = Failed
			}
			col, err := Runner{Settle: -1, Without: []Feature{without}}.Run(t.Context(), script{answer: always("", true), status: -1, out: Output{Status: 3}}, 0, []Scenario{s})
			require.NoError(t, err)
			require.Equal(t, want, col.Results[0].Verdict, "%s, without %s: %+v", f, without, col.Results[0])
		}
	}
	require.Len(t, needs, len(Features))
}

// TestSilentArea: what meets no answer in time takes long, so an area is given up after some
// scenarios. Another is not.
func TestSilentArea(t *testing.T) {
	s := one(t, "    steps: [a -> 00, 'a <- 61, closed']\n")
	other := s
	other.Area = "y"
	late := script{start: fmt.Errorf("nobody listens: %w", testbed.ErrLate)}
	col, err := Runner{Settle: -1}.Run(t.Context(), late, 0, []Scenario{s, s, s, s, s, other})
	require.NoError(t, err)
	require.Equal(t, map[Verdict]int{Failed: maxSilent + 1, Skipped: 2}, col.Count())
	require.Contains(t, col.Results[4].Reason, "met no answer")
	require.True(t, col.Bad())
}

// TestFirstLook: what cannot be asked anything fails for that reason, and is not asked.
func TestFirstLook(t *testing.T) {
	s := one(t, "    steps: [a -> 00, 'a <- 61, closed']\n")
	relaxed := one(t, "    daemon: {flags: [-relaxed_command_check]}\n    steps: [a -> 00, 'a <- 61, closed']\n")
	command := one(t, "    steps: [{run: -names, out: nothing}]\n")
	run := func(t *testing.T, target Target) (Column, Look) {
		var told Look
		r := Runner{Settle: -1, Look: true, Told: func(l Look) { told = l }}
		col, err := r.Run(t.Context(), target, 0, []Scenario{s, relaxed, command})
		require.NoError(t, err)
		return col, told
	}
	for name, target := range map[string]Target{
		"never listens": script{start: fmt.Errorf("it: %w", testbed.ErrLate)},
		"ends":          script{start: &ExitError{Output{Status: 3}}},
	} {
		col, l := run(t, target)
		require.Equal(t, map[Verdict]int{Failed: 3}, col.Count(), name)
		require.Len(t, col.Findings([]Scenario{s, relaxed, command}), 1, name)
		require.Contains(t, l.String(), "it cannot be asked anything", name)
	}
	good := script{answer: always("a", true), status: -1}
	col, l := run(t, good)
	require.Equal(t, map[Verdict]int{Passed: 3}, col.Count(), "%+v", col.Results)
	require.Equal(t, "it listens, answers a lookup, and closes then\nit has: commands, address, relaxed, timeout, delay, extension\nit lacks: nothing", l.String())

	plain := noFlags{good}
	plain.out.Status = 1
	col, l = run(t, plain)
	require.Equal(t, map[Verdict]int{Passed: 1, Skipped: 2}, col.Count(), "%+v", col.Results)
	require.Contains(t, l.String(), "it lacks: commands (-names ends with status 1), address (it does not start with -address 127.0.0.1)")
	require.Contains(t, col.Results[1].Reason, "without relaxed: it does not start with -relaxed_command_check")
}

// noFlags is a script that takes no flag.
type noFlags struct{ script }

func (f noFlags) Start(ctx context.Context, c Config) (Daemon, error) {
	if len(c.Flags) > 0 {
		return nil, &ExitError{Output{Status: 1}}
	}
	return f.script.Start(ctx, c)
}

// TestUnfinished: there is a report when the time is over, and it is not good.
func TestUnfinished(t *testing.T) {
	s := one(t, "    steps: [a -> 00, 'a <- 61, closed']\n")
	long := one(t, "    steps: [wait 1h, a -> 00, 'a <- 61, closed']\n")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := Runner{Settle: -1, Parallel: 2, Progress: func(Result) { cancel(errors.New("somebody pulled the plug")) }}
	col, err := r.Run(ctx, script{answer: always("a", true), status: -1}, 0, []Scenario{long, s, s, s})
	require.NoError(t, err)
	require.Equal(t, "somebody pulled the plug", col.Unfinished)
	require.Equal(t, Skipped, col.Results[0].Verdict)
	require.Equal(t, "not asked: somebody pulled the plug", col.Results[0].Reason)
	require.False(t, col.Bad())
	require.False(t, Report{Columns: []Column{col}}.Good())
	for _, res := range col.Results {
		require.Equal(t, "s", res.Scenario)
		require.Contains(t, []Verdict{Passed, Skipped}, res.Verdict)
	}
}

// TestNothingAsked: a report in which all was skipped is not good.
func TestNothingAsked(t *testing.T) {
	s := one(t, "    steps: [a -> 00, 'a <- 61, closed']\n")
	col, err := Runner{}.Run(t.Context(), script{start: Unsupported("for once")}, 0, []Scenario{s})
	require.NoError(t, err)
	require.False(t, col.Asked())
	require.False(t, col.Bad())
	require.False(t, Report{Columns: []Column{col}}.Good())
}

// TestFindings: failures of one cause are one finding, with its shortest scenario first.
func TestFindings(t *testing.T) {
	long := Scenario{Name: "long", Steps: make([]Step, 5)}
	short := Scenario{Name: "short", Steps: make([]Step, 2)}
	fail := func(what string) Result { return Result{Verdict: Failed, Failure: &Failure{What: what}} }
	old := Result{Verdict: Failed, Failure: &Failure{What: "79 instead of 76", Expected: Bytes{{Bytes: []byte{'v'}}}, Got: []byte("y\x00")}}
	c := Column{Results: []Result{fail("x"), fail("y"), {Verdict: Passed}, fail("y"), fail("y\nwith more"), old, {Verdict: Broken, Reason: "z"}}}
	require.Equal(t, []Finding{
		{"y", []int{3, 1, 4}}, {"x", []int{0}},
		{"it answers a registration as OTP up to 22 does, with 121 and a short creation", []int{5}}, {"z", []int{6}},
	}, c.Findings([]Scenario{long, long, short, short, long, long, long}))
}

func TestRun(t *testing.T) {
	s := one(t, "    steps: [a -> 00, 'a <- 61, closed']\n")
	var seen int
	r := Runner{Parallel: 3, Settle: -1, Progress: func(Result) { seen++ }}
	col, err := r.Run(t.Context(), script{answer: always("a", true)}, 27, []Scenario{s, s, s, s, s})
	require.NoError(t, err)
	require.Equal(t, 5, seen)
	require.Equal(t, map[Verdict]int{Passed: 5}, col.Count())
	require.True(t, Report{Columns: []Column{col}}.Good())
	require.Equal(t, 27, col.OTP)

	_, err = r.Run(t.Context(), script{}, 0, nil)
	require.ErrorIs(t, err, ErrNothing)
}

func TestOptions(t *testing.T) {
	o, err := Config{
		Flags: []string{"-relaxed_command_check", "-d", "-debug", "-one_holder", "-packet_timeout", "2", "-delay_accept", "3", "-delay_write", "4", "-address", "127.0.0.1,::1"},
		Env:   []string{"ERL_EPMD_ADDRESS=127.0.0.9"},
	}.Options()
	require.NoError(t, err)
	require.True(t, o.Relaxed)
	require.Equal(t, 2, o.Debug)
	require.True(t, o.OneHolder)
	require.Equal(t, []time.Duration{2 * time.Second, 3 * time.Second, 4 * time.Second}, []time.Duration{o.PacketTimeout, o.AcceptDelay, o.WriteDelay})
	require.Len(t, o.Addresses, 2)
	o, err = Config{Env: []string{"ERL_EPMD_RELAXED_COMMAND_CHECK="}}.Options()
	require.NoError(t, err)
	require.True(t, o.Relaxed)
	for _, c := range []Config{
		{PortByEnv: true}, {Files: 1}, {Env: []string{"ERL_EPMD_PORT=1"}}, {Flags: []string{"-port", "1"}}, {Flags: []string{"-packet_timeout"}},
		{Flags: []string{"-packet_timeout", "0"}}, {Flags: []string{"-address", "x"}}, {Env: []string{"ERL_EPMD_ADDRESS=::1%lo"}},
	} {
		_, err := c.Options()
		require.ErrorIs(t, err, ErrUnsupported, "%+v", c)
	}
}

// TestShortest: the machine may be late by a share of the shortest time.
func TestShortest(t *testing.T) {
	require.Zero(t, Options{TakenGrace: time.Second}.shortest())
	require.Equal(t, 2*time.Second, Options{PacketTimeout: 3 * time.Second, AcceptDelay: 2 * time.Second}.shortest())
	require.Equal(t, time.Second, Options{PacketTimeout: time.Second, WriteDelay: 2 * time.Second}.shortest())
}

// TestExtensionNotOffered: a program that does not start with the extension's flag is
// no wrong one.
func TestExtensionNotOffered(t *testing.T) {
	sc := Scenario{Name: "a", Daemon: Config{MultiTransport: true}, Steps: []Step{{kind: exits}}}
	res := Runner{}.One(t.Context(), script{start: &ExitError{Output{Status: 1}}}, 0, sc)
	require.Equal(t, Skipped, res.Verdict)
	require.Contains(t, res.Reason, "-multi_transport")
	c, err := sc.Daemon.here()
	require.NoError(t, err)
	o, err := c.Options()
	require.NoError(t, err)
	require.True(t, o.MultiTransport)
	require.False(t, sc.Daemon.Plain())
}

// TestEachInOrder: a key of which another one is the beginning is replaced as a whole.
func TestEachInOrder(t *testing.T) {
	for range 20 { // the keys come in any order
		all, err := Load(fstest.MapFS{"x.yaml": {Data: []byte(
			"area: x\nabout: this\nscenarios:\n  - each: {n: 1 2, name: a b, na: x y}\n    name: s-$name-$n-$na\n    rule: r\n    steps: [a -> 00, 'a <- 00, closed']\n",
		)}})
		require.NoError(t, err)
		require.Equal(t, []string{"s-a-1-x", "s-b-2-y"}, []string{all[0].Name, all[1].Name})
	}
}
