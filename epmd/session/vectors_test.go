package session_test

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

func relaxed(on bool) func(*session.Daemon) {
	return func(d *session.Daemon) { d.RelaxedCommandCheck = on }
}

// multiTransport turns the extension on.
func multiTransport(d *session.Daemon) { d.Dialect = wire.MultiTransport }

// bare is sessions without sockets, as a target of the conformance suite.
type bare struct{ cut int } // as sim's

func (bare) Name() string { return "goepmd, bare sessions" }

func (b bare) Start(_ context.Context, c conformance.Config) (conformance.Daemon, error) {
	o, err := c.Options()
	if err != nil {
		return nil, err
	}
	if o.TakenGrace != 0 || o.PacketTimeout != 0 || o.AcceptDelay != 0 || o.WriteDelay != 0 || len(o.Addresses) > 0 {
		return nil, conformance.Unsupported("a bare session has no clock and no address")
	}
	s := newSim(relaxed(o.Relaxed))
	if o.MultiTransport {
		multiTransport(s.daemon)
	}
	s.cut, s.now = b.cut, time.Now()
	remember := registry.DefaultRemember
	if o.Debug > 0 {
		remember = registry.DebugRemember
	}
	s.daemon.Registry = registry.New(registry.Config{Remember: remember, OneHolder: o.OneHolder}) // with the real time
	return bareDaemon{s}, nil
}

type bareDaemon struct{ sim *sim }

func (d bareDaemon) Port() uint16 { return d.sim.daemon.Port }
func (d bareDaemon) Close() error { return nil }

func (d bareDaemon) Dial(_ context.Context, r conformance.Route) (conformance.Conn, error) {
	if d.sim.ended {
		return nil, conformance.ErrRefused
	}
	p := loopback
	for end, addr := range map[*string]conformance.End{&p.local: r.To, &p.remote: r.From} {
		switch addr {
		case "":
		case conformance.OutsideIPv4:
			*end = "192.0.2.1"
		case conformance.OutsideIPv6:
			*end = "2001:db8::1"
		default:
			*end = string(addr)
		}
	}
	return d.sim.open(p), nil
}

func (d bareDaemon) Exit(context.Context) (int, error) {
	if !d.sim.ended {
		return 0, errors.New("the daemon goes on")
	}
	return 0, nil
}

func (d bareDaemon) Command(context.Context, conformance.Command) (conformance.Output, error) {
	return conformance.Output{}, conformance.Unsupported("a session has no program")
}

// TestVectors holds bare sessions to the conformance suite.
func TestVectors(t *testing.T) {
	scenarios, err := conformance.Scenarios()
	require.NoError(t, err)
	require.Greater(t, playBare(t, bare{}, scenarios), len(scenarios)/2)
}

// playBare plays scenarios, and says how many could be.
func playBare(t *testing.T, target bare, scenarios []conformance.Scenario) (played int) {
	t.Helper()
	r := conformance.Runner{Parallel: 8, Settle: -1}
	col, err := r.Run(t.Context(), target, 0, scenarios)
	require.NoError(t, err)
	for _, res := range col.Results {
		if res.Verdict == conformance.Passed {
			played++
		}
		require.True(t, res.Verdict.Good(), "%s, cut at %d: %s %+v", res.Scenario, target.cut, res.Reason, res.Failure)
	}
	return played
}

// TestVectorsCut plays the same conversations in pieces. However a packet is cut,
// the answer is the same, but for the one rule that looks at segments: bytes
// behind a packet close the connection if they came with the packet's first
// read.
func TestVectorsCut(t *testing.T) {
	all, err := conformance.Scenarios()
	require.NoError(t, err)
	var scenarios []conformance.Scenario
	for _, sc := range all {
		if !hasExcess(t, sc) && !waits(t, sc) {
			scenarios = append(scenarios, sc)
		}
	}
	for _, cut := range []int{1, 2, 3, 5, 17, 1000, 3058} {
		t.Run(strconv.Itoa(cut), func(t *testing.T) {
			if cut != 5 && cut != 1000 {
				otptest.Heavy(t)
			}
			require.Greater(t, playBare(t, bare{cut}, scenarios), len(all)/2)
		})
	}
}

// hasExcess says whether, on a connection of the scenario, the segment that makes a
// packet's length known holds more than the packet.
func hasExcess(t *testing.T, sc conformance.Scenario) bool {
	flat, err := sc.Flat()
	require.NoError(t, err)
	sent := make(map[string][]byte)
	for _, step := range flat.Steps {
		for _, segment := range step.Send {
			b, err := hex.DecodeString(segment)
			require.NoError(t, err)
			before := sent[step.Conn]
			all := append(before, b...)
			sent[step.Conn] = all
			n, err := wire.PacketLen(all)
			if err == nil && n > 0 && len(before) < wire.HeaderLen && len(all) > n {
				return true
			}
		}
	}
	return false
}

// waits says whether the scenario lets time pass.
func waits(t *testing.T, sc conformance.Scenario) bool {
	flat, err := sc.Flat()
	require.NoError(t, err)
	return slices.ContainsFunc(flat.Steps, func(s conformance.FlatStep) bool { return s.Sleep > 0 })
}

// TestCutAnywhere cuts a registration and a lookup in two at each place.
func TestCutAnywhere(t *testing.T) {
	packets := map[string][]byte{}
	for name, b := range map[string][]byte{
		"register": register("foo"),
		"lookup":   body(wire.TagPortPlease2Req, "foo"),
		"names":    body(wire.TagNamesReq, ""),
	} {
		packet, err := wire.AppendPacket(nil, b)
		require.NoError(t, err)
		packets[name] = packet
	}
	for name, packet := range packets {
		whole := newSim()
		c := whole.open(loopback)
		require.NoError(t, c.Send(packet))
		want, wantClosed, _ := c.Recv(nil, 0)
		require.NotEmpty(t, want, name)
		for at := 1; at < len(packet); at++ {
			s := newSim()
			c := s.open(loopback)
			require.NoError(t, c.Send(packet[:at]))
			require.NoError(t, c.Send(packet[at:]))
			require.Equal(t, session.More, c.results[0].Verdict, "%s cut at %d", name, at)
			got, closed, _ := c.Recv(nil, 0)
			require.Equal(t, want, got, "%s cut at %d", name, at)
			require.Equal(t, wantClosed, closed, "%s cut at %d", name, at)
		}
	}
}
