package epmd_test

import (
	"net"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
)

// TestEngineChoice: which engine serves which listeners is told by what it does
// with a goroutine for each connection; an engine that was asked for and cannot
// serve them says so.
func TestEngineChoice(t *testing.T) {
	epoll := runtime.GOOS == "linux"
	tests := map[string]struct {
		engine  epmd.Engine
		wrapped bool
		epoll   bool
		err     bool
	}{
		"auto":             {epmd.EngineAuto, false, epoll, false},
		"auto, wrapped":    {epmd.EngineAuto, true, false, false},
		"portable":         {epmd.EnginePortable, false, false, false},
		"portable, any":    {epmd.EnginePortable, true, false, false},
		"epoll":            {epmd.EngineEpoll, false, epoll, !epoll},
		"epoll, not of it": {epmd.EngineEpoll, true, false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			if tt.wrapped {
				ln = struct{ net.Listener }{ln}
			}
			s := runOn(t, &epmd.Server{Engine: tt.engine}, ln)
			if tt.err {
				require.ErrorIs(t, s.end(t), epmd.ErrEngine)
				_, err := ln.Accept()
				require.ErrorIs(t, err, net.ErrClosed)
				return
			}
			_, err = s.client().Names(ctx(t))
			require.NoError(t, err)
			before := runtime.NumGoroutine()
			for i := range 10 {
				s.register(t, strconv.Itoa(i))
			}
			// What served the first request may end only now.
			require.Equal(t, tt.epoll, runtime.NumGoroutine() < before+5)
		})
	}
}

// TestEngineStands: what the first Serve has chosen is not changed by the next.
func TestEngineStands(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: there is one engine only; run it on Linux")
	}
	s := run(t, new(epmd.Server))
	_, err := s.client().Names(ctx(t))
	require.NoError(t, err)
	pipe := newPipeListener()
	require.ErrorIs(t, s.Serve(pipe), epmd.ErrEngine)
	_, err = pipe.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = s.client().Names(ctx(t))
	require.NoError(t, err, "the server serves on")
}

func TestEngineString(t *testing.T) {
	for e, want := range map[epmd.Engine]string{
		epmd.EngineAuto: "auto", epmd.EngineEpoll: "epoll", epmd.EnginePortable: "portable", 9: "engine 9",
	} {
		require.Equal(t, want, e.String())
	}
}
