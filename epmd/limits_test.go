package epmd

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestResolveLimits: zero is the default, negative is no limit.
func TestResolveLimits(t *testing.T) {
	tests := map[string]struct {
		server *Server
		files  int
		want   limits
	}{
		"zero, the usual 1024 files": {&Server{}, 1024, limits{
			packetTimeout: time.Minute, writeTimeout: time.Minute,
			maxConns: 992, maxKept: 976, maxConnsPerPeer: 248, maxUnfinished: 248, maxRefused: 248,
			maxPending: 1 << 26, keepAlive: time.Minute, maxHeld: 256,
		}},
		"zero, few files": {&Server{}, 40, limits{
			packetTimeout: time.Minute, writeTimeout: time.Minute,
			maxConns: 20, maxKept: 15, maxConnsPerPeer: 5, maxUnfinished: 5, maxRefused: 5,
			maxPending: 1 << 26, keepAlive: time.Minute, maxHeld: 256,
		}},
		"zero, many files": {&Server{}, 1 << 20, limits{
			packetTimeout: time.Minute, writeTimeout: time.Minute,
			maxConns: 1 << 18, maxKept: 1<<18 - 16, maxConnsPerPeer: 1 << 16, maxUnfinished: 1 << 13, maxRefused: 1 << 13,
			maxPending: 1 << 26, keepAlive: time.Minute, maxHeld: 256,
		}},
		"zero, files unknown": {&Server{}, 0, limits{
			packetTimeout: time.Minute, writeTimeout: time.Minute,
			maxConns: 1 << 18, maxKept: 1<<18 - 16, maxConnsPerPeer: 1 << 16, maxUnfinished: 1 << 13, maxRefused: 1 << 13,
			maxPending: 1 << 26, keepAlive: time.Minute, maxHeld: 256,
		}},
		"negative": {&Server{PacketTimeout: -1, WriteTimeout: -1, MaxConns: -1, MaxConnsPerPeer: -1, MaxUnfinished: -1, MaxRefused: -1, MaxPendingBytes: -1, KeepAlive: -1, MaxTransportsPerConn: -1}, 1024, limits{
			maxConns: unlimited, maxKept: unlimited, maxConnsPerPeer: unlimited, maxUnfinished: unlimited, maxRefused: unlimited,
			maxPending: unlimited, maxHeld: unlimited,
		}},
		"given": {&Server{PacketTimeout: 1, WriteTimeout: 2, MaxConns: 3, MaxConnsPerPeer: 4, MaxUnfinished: 5, MaxRefused: 6, MaxPendingBytes: 7, KeepAlive: 8, MaxTransportsPerConn: 9}, 1024, limits{
			packetTimeout: 1, writeTimeout: 2,
			maxConns: 3, maxKept: 3, maxConnsPerPeer: 4, loopbackLimited: true, maxUnfinished: 5, maxRefused: 6,
			maxPending: 7, keepAlive: 8, maxHeld: 9,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.server.resolveLimits(tt.files))
		})
	}
}

// TestEveryLimitIsResolved fails for a field of Server that bounds something and
// that resolveLimits has forgotten.
func TestEveryLimitIsResolved(t *testing.T) {
	base := (&Server{}).resolveLimits(1024)
	seen := 0
	for f := range reflect.TypeFor[Server]().Fields() {
		isLimit := len(f.Name) > 3 && f.Name[:3] == "Max" || len(f.Name) > 7 && f.Name[len(f.Name)-7:] == "Timeout"
		if !isLimit {
			continue
		}
		seen++
		s := new(Server)
		reflect.ValueOf(s).Elem().FieldByIndex(f.Index).SetInt(17)
		require.NotEqual(t, base, s.resolveLimits(1024), f.Name)
	}
	require.Equal(t, 8, seen)
}

func TestLimitString(t *testing.T) {
	for l := limitPeer; l <= limitPending; l++ {
		_, known := reflect.TypeFor[Server]().FieldByName(l.String())
		require.True(t, known, l.String())
	}
	require.Equal(t, "none", limitNone.String())
}
