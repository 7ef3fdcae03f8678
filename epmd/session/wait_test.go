package session_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// waiting is a daemon whose registrations wait for taken names; others wait for a name
// already if awaited says so.
type waiting struct {
	*sim
	awaited  bool
	admitted []string
	events   *registry.Subscription
}

func newWaiting(t *testing.T) *waiting {
	w := new(waiting)
	w.sim = newSim(func(d *session.Daemon) {
		d.Dialect = wire.MultiTransport
		d.Awaited = func([]byte) bool { return w.awaited }
		d.AdmitNode = func(_ session.Peer, n wire.Node) error {
			w.admitted = append(w.admitted, n.Name)
			if n.Name == "no" {
				return errors.New("no")
			}
			return nil
		}
	})
	w.events, _ = w.daemon.Registry.Subscribe(100)
	t.Cleanup(w.events.Close)
	return w
}

// packet is a registration, by ALIVE3_REQ if it names a transport.
func packet(t *testing.T, name, transport string) []byte {
	t.Helper()
	n := wire.Node{Name: name, Transport: transport, Port: 1, Highest: 6, Lowest: 5}
	add := n.AppendAlive2Req
	if transport != "" {
		add = n.AppendAlive3Req
	}
	b, err := add(nil)
	require.NoError(t, err)
	return b
}

// TestWait: a registration of a taken name waits, and is made when it is tried again once
// the name is free, or refused at the last try, as it would have been at once.
func TestWait(t *testing.T) {
	for kind, transport := range map[string]string{"ALIVE2_REQ": "", "ALIVE3_REQ": "tls"} {
		for _, frees := range []bool{true, false} {
			t.Run(kind, func(t *testing.T) {
				w := newWaiting(t)
				_, err := w.daemon.Registry.Register(99, wire.Node{Name: "foo"})
				require.NoError(t, err)
				require.Equal(t, registry.Registered, (<-w.events.C).Kind)
				s := w.daemon.Open(1, loopback, w.now)
				request := packet(t, "foo", transport)
				tag := wire.Tag(request[wire.HeaderLen])
				want := session.Result{Verdict: session.Wait, Used: len(request), Tag: tag, Name: []byte("foo")}
				require.Equal(t, want, feedAll(t, w.sim, &s, request))
				require.False(t, s.Begun())
				require.False(t, s.Kept())
				require.False(t, s.Holds())
				require.Zero(t, s.Deadline())
				require.Equal(t, request, s.Partial())
				want.Used = 0
				require.Equal(t, want, s.Feed(w.now, []byte("more"), nil))
				require.Equal(t, want, s.Retry(false, nil))
				require.Equal(t, request, s.Partial())
				require.Empty(t, w.events.C)

				if frees {
					w.daemon.Registry.Release(99, registry.ReasonClosed)
					require.Equal(t, registry.Unregistered, (<-w.events.C).Kind)
				}
				res := s.Retry(!frees, make([]byte, 0, 16))
				require.Equal(t, session.Keep, res.Verdict)
				require.Equal(t, tag, res.Tag)
				require.Equal(t, "foo", string(res.Name))
				require.Equal(t, frees, s.Holds())
				require.True(t, s.Kept())
				require.Equal(t, transport != "", s.TakesMore())
				require.Empty(t, s.Partial())
				if frees {
					require.NoError(t, res.Err)
					require.Equal(t, registry.Registered, (<-w.events.C).Kind)
				} else {
					require.ErrorIs(t, res.Err, registry.RefusedTaken)
					require.Equal(t, registry.Refused, (<-w.events.C).Kind)
				}
				require.Empty(t, w.events.C)
				require.Equal(t, []string{"foo"}, w.admitted, "the program is asked once")

				plain := newSim(func(d *session.Daemon) { d.Dialect = wire.MultiTransport })
				if !frees {
					_, err = plain.daemon.Registry.Register(99, wire.Node{Name: "foo"})
					require.NoError(t, err)
					at := plain.daemon.Open(1, loopback, plain.now)
					require.Equal(t, feedAll(t, plain, &at, request).Reply, res.Reply)
				}
				require.ErrorIs(t, s.Retry(true, nil).Err, session.ErrEnded)
			})
		}
	}
}

// TestWaitBehindOthers: where others wait, a registration waits though the name is free, and
// one that is tried again or for the last time does not wait for others.
func TestWaitBehindOthers(t *testing.T) {
	for _, last := range []bool{true, false} {
		w := newWaiting(t)
		w.awaited = true
		s := w.daemon.Open(1, loopback, w.now)
		require.Equal(t, session.Wait, feedAll(t, w.sim, &s, packet(t, "foo", "")).Verdict)
		require.Zero(t, w.daemon.Registry.Len())
		res := s.Retry(last, nil)
		require.NoError(t, res.Err)
		require.True(t, s.Holds())
	}
}

// TestWaitForNothingElse: what is refused for another reason than a taken name is refused at
// once.
func TestWaitForNothingElse(t *testing.T) {
	w := newWaiting(t)
	for name, want := range map[string]registry.Refusal{"no": registry.RefusedNotAdmitted, "\xff": registry.RefusedNameUTF8} {
		s := w.daemon.Open(1, loopback, w.now)
		res := feedAll(t, w.sim, &s, packet(t, name, ""))
		require.Equal(t, session.Keep, res.Verdict)
		require.ErrorIs(t, res.Err, want)
	}
}

// TestWaitOfMore: a connection that is kept waits with a further ALIVE3_REQ, and keeps what
// it holds, until it ends.
func TestWaitOfMore(t *testing.T) {
	w := newWaiting(t)
	_, err := w.daemon.Registry.Register(99, wire.Node{Name: "foo"})
	require.NoError(t, err)
	s := w.daemon.Open(1, loopback, w.now)
	require.Equal(t, session.Keep, feedAll(t, w.sim, &s, packet(t, "bar", "tls")).Verdict)
	more := packet(t, "foo", "tls")
	require.Equal(t, session.Wait, feedAll(t, w.sim, &s, more).Verdict)
	require.True(t, s.Kept())
	require.True(t, s.Holds())
	require.False(t, s.Begun())

	moved := w.daemon.ResumeAlive3(1, loopback, true)
	require.Equal(t, session.Wait, feedAll(t, w.sim, &moved, s.Partial()).Verdict)
	res := moved.Retry(true, make([]byte, 0, 16))
	require.ErrorIs(t, res.Err, registry.RefusedTaken)
	require.True(t, moved.TakesMore())
	require.Equal(t, session.Wait, feedAll(t, w.sim, &moved, more).Verdict)
	moved.End(registry.ReasonClosed)
	require.True(t, moved.Ended())
	require.Equal(t, 1, w.daemon.Registry.Len())
}

// TestWaitTurnedAway: who has to go while it waits is told with its request.
func TestWaitTurnedAway(t *testing.T) {
	w := newWaiting(t)
	w.awaited = true
	s := w.daemon.Open(1, loopback, w.now)
	feedAll(t, w.sim, &s, packet(t, "foo", "tls"))
	res := s.TurnAway(s.Feed(w.now, nil, nil))
	require.Equal(t, session.Result{Verdict: session.Close, Tag: wire.TagAlive3Req, Name: []byte("foo"), Err: session.ErrNoRoom}, res)
	require.True(t, s.Ended())
}
