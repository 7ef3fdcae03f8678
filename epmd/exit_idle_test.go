package epmd_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/epmd"
)

// soon is a short idle time. Nobody can rely on coming before it is over, so whoever has
// to be there comes before the server: see runWith.
const soon = 50 * time.Millisecond

// runWith runs a server to which a client has connected before, and sent some bytes.
func runWith(t *testing.T, s *epmd.Server, sent []byte) (*running, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := (&running{addr: ln.Addr().String()}).dial(t)
	_, err = c.Write(sent)
	require.NoError(t, err)
	return runOn(t, s, ln), c
}

// requireResult reads the answer to a registration.
func requireResult(t *testing.T, want uint8, c net.Conn) {
	t.Helper()
	answer := make([]byte, 6)
	_, err := io.ReadFull(c, answer)
	require.NoError(t, err)
	require.Equal(t, want, answer[1])
}

// alive is the request that registers a name.
func alive(t *testing.T, name string) []byte {
	t.Helper()
	packet, err := node(name, 1).AppendAlive2Req(nil)
	require.NoError(t, err)
	return packet
}

// requireRunsFor sees that a server answers for a while, by asking all the time.
func (r *running) requireRunsFor(t *testing.T, d time.Duration) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < d; time.Sleep(tick) {
		_, err := r.client().Names(ctx(t))
		require.NoError(t, err)
	}
}

// TestExitIdle: the server ends when nobody has been registered for long enough, from
// its start on, and says so; whoever only asks, or was refused, does not hold it.
func TestExitIdle(t *testing.T) { onEngines(t, testExitIdle) }

func testExitIdle(t *testing.T, engine epmd.Engine) {
	leaks := goleak.IgnoreCurrent()
	var log bytes.Buffer
	s, refused := runWith(t, &epmd.Server{Engine: engine, ExitIdle: soon, Logger: slog.New(slog.NewTextHandler(&log, nil))}, alive(t, "\xff"))
	requireResult(t, 1, refused)
	require.ErrorIs(t, s.end(t), epmd.ErrIdle)
	require.Empty(t, requireClosed(t, refused))
	require.NoError(t, refused.Close())
	require.Contains(t, log.String(), "exit_idle="+soon.String())
	require.Empty(t, s.Addrs())
	goleak.VerifyNone(t, leaks)
	require.NoError(t, s.Shutdown(ctx(t)))
}

// TestExitIdleRefusals: registrations that are refused again and again do not hold the server.
func TestExitIdleRefusals(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		t.Parallel()
		s := run(t, &epmd.Server{Engine: engine, ExitIdle: 2 * soon})
		for begun := time.Now(); ; time.Sleep(soon / 10) {
			require.Less(t, time.Since(begun), patience, "it goes on")
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				break // it has ended
			}
			_, err = c.Write(alive(t, "\xff"))
			if err == nil {
				_, _ = io.ReadFull(c, make([]byte, 6)) // perhaps it ends in this moment
			}
			require.NoError(t, c.Close())
		}
		require.ErrorIs(t, s.end(t), epmd.ErrIdle)
	})
}

// TestExitIdleNever: without it, and once the server is closed, nothing counts.
func TestExitIdleNever(t *testing.T) {
	t.Parallel()
	onEngines(t, testExitIdleNever)
}

func testExitIdleNever(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	s := run(t, &epmd.Server{Engine: engine, ExitIdle: -1})
	s.requireRunsFor(t, 2*soon)
	closed := run(t, &epmd.Server{Engine: engine, ExitIdle: time.Hour})
	_, err := closed.client().Names(ctx(t))
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	require.ErrorIs(t, closed.end(t), epmd.ErrServerClosed)
	never := &epmd.Server{Engine: engine, ExitIdle: 1}
	require.NoError(t, never.Close())
}

// TestExitIdleWaits: a registered node holds the server, for as long as it is there.
func TestExitIdleWaits(t *testing.T) {
	t.Parallel()
	onEngines(t, testExitIdleWaits)
}

func testExitIdleWaits(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	s, first := runWith(t, &epmd.Server{Engine: engine, ExitIdle: soon}, alive(t, "foo"))
	requireResult(t, 0, first)
	s.requireRunsFor(t, 4*soon)
	second, _ := s.register(t, "bar")
	require.NoError(t, first.Close())
	s.requireRunsFor(t, 4*soon)
	s.requireOpen(t, second)
	require.NoError(t, second.Close())
	require.ErrorIs(t, s.end(t), epmd.ErrIdle)
}

// TestExitIdleUnderWay: who has begun to ask is answered, and who registers so holds
// the server.
func TestExitIdleUnderWay(t *testing.T) {
	t.Parallel()
	onEngines(t, testExitIdleUnderWay)
}

func testExitIdleUnderWay(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	packet := alive(t, "late")
	s, c := runWith(t, &epmd.Server{Engine: engine, ExitIdle: soon}, packet[:5])
	s.requireRunsFor(t, 8*soon)
	_, err := c.Write(packet[5:])
	require.NoError(t, err)
	requireResult(t, 0, c)
	s.requireRunsFor(t, 4*soon)
	require.NoError(t, c.Close())
	require.ErrorIs(t, s.end(t), epmd.ErrIdle)
}

// TestExitIdleArriving: a connection that is accepted and waits for its turn is
// not forgotten.
func TestExitIdleArriving(t *testing.T) {
	t.Parallel()
	onEngines(t, testExitIdleArriving)
}

func testExitIdleArriving(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	s, c := runWith(t, &epmd.Server{Engine: engine, ExitIdle: soon, AcceptDelay: 6 * soon}, alive(t, "foo"))
	requireResult(t, 0, c) // long after the server could have ended
	s.requireOpen(t, c)
	require.NoError(t, c.Close())
	require.ErrorIs(t, s.end(t), epmd.ErrIdle)
}

// TestExitIdleRace: whoever registers in the very moment of the end is either not
// answered, or stays registered.
func TestExitIdleRace(t *testing.T) {
	t.Parallel()
	onEngines(t, testExitIdleRace)
}

func testExitIdleRace(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	packet := alive(t, "foo")
	const after = 5 * time.Millisecond
	answered, late := 0, 0
	for i := range 100 {
		s := run(t, &epmd.Server{Engine: engine, ExitIdle: after})
		time.Sleep(after*3/4 + time.Duration(i%50)*after/100) // around the end
		if answer, c := attempt(s, packet); len(answer) == 6 {
			answered++
			_, err := s.client().Lookup(ctx(t), "foo")
			require.NoError(t, err, "registered and lost")
			s.requireOpen(t, c)
			require.NoError(t, c.Close())
		} else {
			require.Empty(t, answer)
			late++
		}
		require.ErrorIs(t, s.end(t), epmd.ErrIdle)
	}
	t.Logf("%d were registered, %d came too late", answered, late)
}

// attempt sends a request to a server that may be gone, and gives what answer comes.
func attempt(s *running, packet []byte) ([]byte, net.Conn) {
	c, err := net.DialTimeout("tcp", s.addr, patience)
	if err != nil {
		return nil, nil
	}
	_ = c.SetDeadline(time.Now().Add(patience)) // what fails, reading tells
	_, _ = c.Write(packet)
	answer := make([]byte, 6)
	n, err := io.ReadFull(c, answer)
	if err != nil {
		_ = c.Close() // it is of no more use
	}
	return answer[:n], c
}
