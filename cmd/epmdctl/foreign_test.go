package main

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

// fragile is an EPMD that dies of any request that nodes do not send and of empty
// connections, with two nodes: alpha, which answers, and own, at the EPMD's own port.
func fragile(t *testing.T) (f *testbed.Fragile, port string) {
	t.Helper()
	f, err := testbed.StartFragile()
	require.NoError(t, err)
	t.Cleanup(f.Close)
	port = strconv.Itoa(int(f.Port))
	c := &epmd.Client{Addr: "127.0.0.1:" + port}
	for name, at := range map[string]uint16{"alpha": goNode(t, "alpha@127.0.0.1"), "own": f.Port} {
		r, err := c.Register(t.Context(), wire.Node{Name: name, Port: at, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
		require.NoError(t, err)
		t.Cleanup(func() { _ = r.Close() })
	}
	return f, port
}

// TestForeignEPMDLives: no command ends an EPMD that knows the requests of nodes alone.
func TestForeignEPMDLives(t *testing.T) {
	f, port := fragile(t)
	for _, args := range [][]string{
		{"nodes"}, {"nodes", "-long"}, {"nodes", "-o", "json"}, {"lookup", "alpha"}, {"lookup", "nobody"}, {"lookup", "alpha@localhost"},
		{"ping", "-c", "2", "-i", "1ms"}, {"register", "-for", "1ms", "gamma"},
		{"stop", "alpha"}, {"stop", "nobody"}, {"stop", "own@127.0.0.1"},
		{"doctor"}, {"doctor", "alpha@127.0.0.1"}, {"doctor", "nobody@127.0.0.1"}, {"doctor", "own@127.0.0.1"}, {"doctor", "-tls", "own@127.0.0.1"},
		{"lookup", "--generate-shell-completion"},
	} {
		code, out, errs := call(t, false, append([]string{"-p", port}, args...)...)
		require.Empty(t, f.Died(), "%s: %s%s", args, out, errs)
		names, err := (&epmd.Client{Addr: "127.0.0.1:" + port}).Names(t.Context())
		require.NoError(t, err, "%s", args)
		require.GreaterOrEqual(t, len(names.Nodes), 2, "%s", args)
		if args[0] == "stop" {
			require.NotZero(t, code)
		}
	}
	code, _, errs := call(t, false, "-p", port, "stop", "alpha")
	require.Equal(t, cannotAsk, code)
	require.Contains(t, errs, "nothing was sent")

	lines, end := start(t, false, "-p", port, "nodes", "-watch", "-long", "-interval", "1ms")
	for range 2 {
		require.True(t, lines.Scan())
	}
	require.Equal(t, good, end())
	require.Empty(t, f.Died())
}

// TestForeignEPMDIsAsked: the extension is asked for when the user says so, and this EPMD
// does die of it.
func TestForeignEPMDIsAsked(t *testing.T) {
	f, port := fragile(t)
	_, _, _ = call(t, false, "-p", port, "nodes", "-transports")
	require.NotEmpty(t, f.Died())
}

// TestTried: an error names the addresses that were tried, 127.0.0.1 first, and for how long.
func TestTried(t *testing.T) {
	port := strconv.Itoa(freePort(t))
	code, _, errs := call(t, false, "-p", port, "nodes")
	require.Equal(t, cannotAsk, code)
	require.Regexp(t, `; tried 127\.0\.0\.1:`+port+` for \d+m?s, \[::1\]:`+port+` for \d+m?s `, errs)
}
