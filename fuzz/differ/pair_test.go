package differ

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// TestSame: bare sessions do not differ from themselves, however they are cut.
func TestSame(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	pair := &Pair{A: NewSim(true, wire.Standard), B: NewSim(true, wire.Standard), Settle: -1}
	for range 2000 {
		if pair.Spent() { // by a KILL_REQ
			pair = &Pair{A: NewSim(true, wire.Standard), B: NewSim(true, wire.Standard), Settle: -1}
		}
		d, err := pair.Play(GenerateAlone(r))
		require.NoError(t, err)
		require.Nil(t, d)
	}
}

// faulty is bare sessions with something wrong.
type faulty struct {
	*Sim
	reply func([]byte) []byte // changes what arrives
	deaf  bool                // does not close
	gone  int                 // ends after so many connections
}

func (f *faulty) Dial() (Conn, error) {
	if f.gone--; f.gone == 0 {
		return nil, ErrGone
	}
	c, err := f.Sim.Dial()
	return &faultyConn{c, f}, err
}

type faultyConn struct {
	Conn
	of *faulty
}

func (c *faultyConn) Recv(b []byte, wait time.Duration) ([]byte, End, error) {
	before := len(b)
	b, end, err := c.Conn.Recv(b, wait)
	if c.of.reply != nil && len(b) > before {
		b = append(b[:before], c.of.reply(b[before:])...)
	}
	if c.of.deaf && end == WasClosed && len(b) == 0 {
		end = StillOpen
	}
	return b, end, err
}

// TestDifferent: whatever is wrong with a daemon is found, and shrunk.
func TestDifferent(t *testing.T) {
	for name, make := range map[string]func() Target{
		"a wrong byte": func() Target {
			return &faulty{Sim: NewSim(true, wire.Standard), reply: func(b []byte) []byte { return bytes.Replace(b, []byte("w\x01"), []byte("w\x02"), 1) }}
		},
		"no reply": func() Target {
			return &faulty{Sim: NewSim(true, wire.Standard), reply: func(b []byte) []byte { return bytes.TrimPrefix(b, []byte("STOPPED")) }}
		},
		"a creation that stands": func() Target {
			return &faulty{Sim: NewSim(true, wire.Standard), reply: func(b []byte) []byte {
				if len(b) == 6 && b[0] == 'v' && b[1] == 0 {
					return []byte("v\x00\x01\x00\x00\x00")
				}
				return b
			}}
		},
		"not closed":  func() Target { return &faulty{Sim: NewSim(true, wire.Standard), deaf: true} },
		"gone":        func() Target { return &faulty{Sim: NewSim(true, wire.Standard), gone: 3} },
		"not relaxed": func() Target { return NewSim(false, wire.Standard) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := func(context.Context, bool) (*Pair, error) {
				return &Pair{A: NewSim(true, wire.Standard), B: make(), Settle: -1}, nil
			}
			r := rand.New(rand.NewPCG(5, 1))
			for range 1000 {
				c := GenerateAlone(r)
				p, _ := start(t.Context(), true)
				d, err := p.Play(c)
				require.NoError(t, err)
				if d == nil {
					continue
				}
				require.True(t, p.Spent())
				require.NotEqual(t, d.A, d.B)
				require.Contains(t, d.String(), "after step")
				again, err := Confirm(t.Context(), start, true, c)
				require.NoError(t, err)
				require.NotNil(t, again)
				require.LessOrEqual(t, len(again.Conversation.Steps), 4, "%s", again)
				return
			}
			t.Fatal("no difference was found")
		})
	}
}

// TestCutList: the end of a list may be lost when the daemon resets the connection,
// but what has arrived must be right.
func TestCutList(t *testing.T) {
	long := []byte("\x00\x00\x5f\x31name a at port 1\n")
	for _, tt := range []struct {
		a, b  string
		reset bool
		want  bool
	}{
		{string(long), string(long[:9]), true, true},
		{string(long), string(long[:9]), false, false},
		{string(long), "\x00\x00\x5f\x31name b", true, false},
	} {
		g := game{}
		for i, got := range []string{tt.a, tt.b} {
			g.sides[i].names.port = simPort
			g.sides[i].links[0] = &link{sent: []byte("\x00\x01n"), got: []byte(got), closed: true, fresh: true}
		}
		g.sides[1].links[0].reset = tt.reset
		require.Equal(t, tt.want, g.disagree() < 0, "%q", tt.b)
	}
}

// TestShrinkStops: the search ends at an error, and by itself.
func TestShrinkStops(t *testing.T) {
	c := Conversation{Steps: []Step{{Bytes: make([]byte, 4000)}, {Bytes: make([]byte, 4000)}}}
	tries := 0
	_, err := Shrink(c, func(Conversation) (bool, error) { tries++; return false, nil })
	require.NoError(t, err)
	require.LessOrEqual(t, tries, shrinkTries)
	bad := errors.New("bad")
	_, err = Shrink(c, func(Conversation) (bool, error) { return false, bad })
	require.ErrorIs(t, err, bad)
	small, err := Shrink(c, func(c Conversation) (bool, error) { return len(c.Steps) > 0 && len(c.Steps[0].Bytes) >= 3, nil })
	require.NoError(t, err)
	require.Len(t, small.Steps, 1)
	require.Len(t, small.Steps[0].Bytes, 3)
}
