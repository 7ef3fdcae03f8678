package epmd

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/places"
)

// TestResolveLimits: zero is the default, negative is no limit.
func TestResolveLimits(t *testing.T) {
	tests := map[string]struct {
		server *Server
		files  int
		want   places.Limits
	}{
		"zero, the usual 1024 files": {&Server{}, 1024, places.Limits{
			PacketTimeout: time.Minute, WriteTimeout: time.Minute,
			MaxConns: 992, MaxKept: 976, MaxConnsPerPeer: 248, MaxUnfinished: 248, MaxUnfinishedPerPeer: 62, MaxRefused: 248,
			MaxPending: 1 << 26, KeepAlive: time.Minute, MaxHeld: 256,
		}},
		"zero, few files": {&Server{}, 40, places.Limits{
			PacketTimeout: time.Minute, WriteTimeout: time.Minute,
			MaxConns: 20, MaxKept: 15, MaxConnsPerPeer: 5, MaxUnfinished: 5, MaxUnfinishedPerPeer: 2, MaxRefused: 5,
			MaxPending: 1 << 26, KeepAlive: time.Minute, MaxHeld: 256,
		}},
		"zero, many files": {&Server{}, 1 << 20, places.Limits{
			PacketTimeout: time.Minute, WriteTimeout: time.Minute,
			MaxConns: 1 << 18, MaxKept: 1<<18 - 16, MaxConnsPerPeer: 1 << 16, MaxUnfinished: 1 << 13, MaxUnfinishedPerPeer: 1 << 11, MaxRefused: 1 << 13,
			MaxPending: 1 << 26, KeepAlive: time.Minute, MaxHeld: 256,
		}},
		"zero, files unknown": {&Server{}, 0, places.Limits{
			PacketTimeout: time.Minute, WriteTimeout: time.Minute,
			MaxConns: 1 << 18, MaxKept: 1<<18 - 16, MaxConnsPerPeer: 1 << 16, MaxUnfinished: 1 << 13, MaxUnfinishedPerPeer: 1 << 11, MaxRefused: 1 << 13,
			MaxPending: 1 << 26, KeepAlive: time.Minute, MaxHeld: 256,
		}},
		"negative": {&Server{PacketTimeout: -1, WriteTimeout: -1, MaxConns: -1, MaxConnsPerPeer: -1, MaxUnfinished: -1, MaxRefused: -1, MaxPendingBytes: -1, KeepAlive: -1, MaxTransportsPerConn: -1}, 1024, places.Limits{
			MaxConns: places.Unlimited, MaxKept: places.Unlimited, MaxConnsPerPeer: places.Unlimited, MaxUnfinished: places.Unlimited, MaxUnfinishedPerPeer: places.Unlimited, MaxRefused: places.Unlimited,
			MaxPending: places.Unlimited, MaxHeld: places.Unlimited,
		}},
		"given": {&Server{PacketTimeout: 1, WriteTimeout: 2, MaxConns: 3, MaxConnsPerPeer: 4, MaxUnfinished: 5, MaxRefused: 6, MaxPendingBytes: 7, KeepAlive: 8, MaxTransportsPerConn: 9}, 1024, places.Limits{
			PacketTimeout: 1, WriteTimeout: 2,
			MaxConns: 3, MaxKept: 3, MaxConnsPerPeer: 4, LoopbackLimited: true, MaxUnfinished: 5, MaxUnfinishedPerPeer: 2, MaxRefused: 6,
			MaxPending: 7, KeepAlive: 8, MaxHeld: 9,
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
	for l := places.LimitPeer; l <= places.LimitPending; l++ {
		_, known := reflect.TypeFor[Server]().FieldByName(l.String())
		require.True(t, known, l.String())
	}
	require.Equal(t, "none", places.LimitNone.String())
}
