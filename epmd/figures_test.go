package epmd_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// TestCountedBeforeClosed: a limit is counted and told before a connection is closed for
// it, so a client that has seen its end finds it counted. The logger, which the server waits
// for, sees all connections still open.
func TestCountedBeforeClosed(t *testing.T) { onEngines(t, testCountedBeforeClosed) }

func testCountedBeforeClosed(t *testing.T, engine epmd.Engine) {
	for name, tt := range map[string]struct {
		server *epmd.Server
		meet   func(*running) []net.Conn // of which the limit closes one
		count  func(epmd.Stats) uint64
	}{
		"MaxConns, turned away": {&epmd.Server{MaxConns: 1}, func(s *running) []net.Conn {
			s.register(t, "foo")
			return []net.Conn{s.dial(t)}
		}, func(s epmd.Stats) uint64 { return s.LimitConns }},
		"MaxConns, evicted": {&epmd.Server{MaxConns: 1, MaxUnfinished: 2}, func(s *running) []net.Conn {
			return []net.Conn{s.dial(t), s.dial(t)}
		}, func(s epmd.Stats) uint64 { return s.LimitConns }},
		"MaxConns, of the refused": {&epmd.Server{MaxConns: 2}, func(s *running) []net.Conn {
			first, _ := s.register(t, "foo")
			second, _ := s.register(t, "foo")
			third := s.dial(t)
			_, err := third.Write(alive(t, "bar"))
			require.NoError(t, err)
			return []net.Conn{first, second, third}
		}, func(s epmd.Stats) uint64 { return s.LimitConns }},
		"MaxConnsPerPeer": {&epmd.Server{MaxConnsPerPeer: 1}, func(s *running) []net.Conn {
			return []net.Conn{s.dial(t), s.dial(t)}
		}, func(s epmd.Stats) uint64 { return s.LimitPeer }},
		"MaxUnfinished": {&epmd.Server{MaxUnfinished: 1}, func(s *running) []net.Conn {
			return []net.Conn{s.dial(t), s.dial(t)}
		}, func(s epmd.Stats) uint64 { return s.LimitUnfinished }},
		"MaxRefused": {&epmd.Server{MaxRefused: 1}, func(s *running) []net.Conn {
			first, _ := s.register(t, "foo")
			second, _ := s.register(t, "foo")
			third := s.dial(t)
			_, err := third.Write(alive(t, "foo"))
			require.NoError(t, err)
			return []net.Conn{first, second, third}
		}, func(s epmd.Stats) uint64 { return s.LimitRefused }},
	} {
		t.Run(name, func(t *testing.T) {
			log := &limitLog{met: make(chan struct{}), look: make(chan struct{})}
			goOn := sync.OnceFunc(func() { close(log.look) })
			defer goOn()
			tt.server.Engine, tt.server.Logger = engine, slog.New(slog.NewTextHandler(log, nil))
			s := run(t, tt.server)
			conns := tt.meet(s)
			select {
			case <-log.met:
			case <-time.After(patience):
				require.Fail(t, "the limit is not met")
			}
			require.EqualValues(t, 1, tt.count(s.Stats()))
			for _, c := range conns {
				require.True(t, isOpen(t, c, 20*time.Millisecond), "closed before it was counted")
			}
			goOn()
			require.Eventually(t, func() bool {
				return slices.ContainsFunc(conns, func(c net.Conn) bool { return !isOpen(t, c, tick) })
			}, patience, tick, "none is closed")
		})
	}
}

// limitLog is a log that stops the server when it tells of a limit, until somebody has
// looked.
type limitLog struct {
	once      sync.Once
	met, look chan struct{}
}

func (l *limitLog) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "a limit is reached") {
		l.once.Do(func() {
			close(l.met)
			<-l.look
		})
	}
	return len(b), nil
}

// isOpen passes over what comes for a while, and says whether the connection is open
// then.
func isOpen(t *testing.T, c net.Conn, wait time.Duration) bool {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(wait)))
	_, err := io.Copy(io.Discard, c)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// TestGoneBeforeClosed: a connection is out of the figures before it is closed, so a client
// that has seen its end does not find it there. The hook, which is called after the
// close, holds up whatever comes later.
func TestGoneBeforeClosed(t *testing.T) { onEngines(t, testGoneBeforeClosed) }

func testGoneBeforeClosed(t *testing.T, engine epmd.Engine) {
	look := make(chan struct{})
	s := run(t, &epmd.Server{Engine: engine, ConnState: func(_ epmd.Conn, state epmd.ConnState) {
		if state == epmd.StateClosed {
			<-look
		}
	}})
	defer close(look)
	c := s.dial(t)
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
	_, err := c.Write([]byte("\x00\x01?"))
	require.NoError(t, err)
	require.Empty(t, requireClosed(t, c))
	st := s.Stats()
	require.Zero(t, st.Conns)
	require.Zero(t, st.Unfinished)
	require.EqualValues(t, 1, st.Faults[wire.FaultTag])
}
