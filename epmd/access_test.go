package epmd_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// closedLists are lists that let nobody in but local peers.
func closedLists(s *epmd.Server) *epmd.Server {
	none := []netip.Prefix{}
	s.AllowLookup, s.AllowNames, s.AllowRegister, s.AllowStop = none, none, none, none
	return s
}

// TestAllow: the hook is told who asks for what, and refuses whom it likes: the
// connection is closed unanswered, nothing changes, and it is counted and told.
func TestAllow(t *testing.T) { onEngines(t, testAllow) }

func testAllow(t *testing.T, engine epmd.Engine) {
	var log lockedBuffer
	var mu sync.Mutex
	var asked []epmd.Conn
	s := run(t, &epmd.Server{
		Engine: engine,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Allow: func(c epmd.Conn, tag wire.Tag) bool {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, c)
			return tag != wire.TagAlive2Req && tag != wire.TagKillReq
		},
	})
	before := s.View().Snapshot()
	c := s.dial(t)
	_, err := c.Write(alive(t, "foo"))
	require.NoError(t, err)
	require.Empty(t, requireClosed(t, c))
	mu.Lock()
	require.Len(t, asked, 1)
	require.Equal(t, c.LocalAddr().String(), asked[0].Remote.String())
	require.Equal(t, c.RemoteAddr().String(), asked[0].Local.String())
	require.NotZero(t, asked[0].Owner)
	mu.Unlock()
	begun := time.Now()
	for range 20 {
		require.ErrorIs(t, s.client().Kill(ctx(t)), epmd.ErrNoAnswer)
	}
	_, err = s.client().Names(ctx(t))
	require.NoError(t, err)
	require.Equal(t, before, s.View().Snapshot())
	stats := s.Stats()
	require.EqualValues(t, 21, stats.Denied)
	require.EqualValues(t, 1, stats.Alive2)
	require.EqualValues(t, 20, stats.Kill)
	require.Zero(t, stats.Registered+stats.Refused)
	warnings := strings.Count(log.String(), "a request is denied")
	require.Contains(t, log.String(), "request=ALIVE2_REQ remote="+c.LocalAddr().String())
	require.LessOrEqual(t, warnings, 2+int(time.Since(begun).Seconds()), "one a second")
}

// TestLocalInSpiteOfLists: lists that let nobody in do not lock out this machine, by
// TCP or Unix sockets.
func TestLocalInSpiteOfLists(t *testing.T) { onEngines(t, testLocalInSpiteOfLists) }

func testLocalInSpiteOfLists(t *testing.T, engine epmd.Engine) {
	for network, listen := range map[string]func(*testing.T) net.Listener{"tcp": listener, "unix": listenUnix} {
		t.Run(network, func(t *testing.T) {
			ln := listen(t)
			addr := ln.Addr()
			s := runOn(t, closedLists(&epmd.Server{Engine: engine, RelaxedCommandCheck: true}), ln)
			client := &epmd.Client{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, addr.Network(), addr.String())
			}}
			r, err := client.Register(ctx(t), node("foo", 5))
			require.NoError(t, err)
			_, err = client.Lookup(ctx(t), "foo")
			require.NoError(t, err)
			_, err = client.Names(ctx(t))
			require.NoError(t, err)
			_, err = client.Dump(ctx(t))
			require.NoError(t, err)
			require.NoError(t, client.Stop(ctx(t), "foo"))
			require.NoError(t, r.Close())
			require.NoError(t, client.Kill(ctx(t)))
			require.ErrorIs(t, s.end(t), epmd.ErrKilled)
			require.Zero(t, s.Stats().Denied)
		})
	}
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
