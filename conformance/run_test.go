package conformance

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
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

// TestDeviations: what is announced must happen.
func TestDeviations(t *testing.T) {
	s := one(t, "    steps: [a -> 00, 'a <- 61, closed']\n")
	r := Runner{Settle: -1, Deviations: map[string]string{"s": "it is better so"}}
	res := r.One(t.Context(), script{answer: always("b", true)}, 0, s)
	require.Equal(t, Deviates, res.Verdict)
	require.Equal(t, "it is better so", res.Reason)
	res = r.One(t.Context(), script{answer: always("a", true)}, 0, s)
	require.Equal(t, Failed, res.Verdict)
	require.Contains(t, res.Failure.What, "but there is none")
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
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Run(ctx, script{}, 0, []Scenario{s})
	require.ErrorIs(t, err, context.Canceled)
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
