package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otptest"
)

// names are those that the daemon lists, the most recent first.
func names(t *testing.T, d *daemon) []string {
	t.Helper()
	list, err := d.client().Names(context.Background())
	require.NoError(t, err)
	var out []string
	for _, n := range list.Nodes {
		out = append(out, n.Name)
	}
	return out
}

// TestNodes runs two real Erlang nodes on the daemon: they list each other, ping
// both ways, and a killed one disappears and comes back with the next creation.
func TestNodes(t *testing.T) {
	otptest.Erl(t)
	for kind, host := range map[string]string{"short names": "", "long names": "@127.0.0.1"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			d := start(t, program)
			a := otptest.StartNode(t, otptest.NodeConfig{Name: "alpha" + host, Port: d.port})
			b := otptest.StartNode(t, otptest.NodeConfig{Name: "beta" + host, Port: d.port})
			require.Equal(t, []string{"beta", "alpha"}, names(t, d))

			ports := make(map[string]uint16)
			for _, name := range []string{"alpha", "beta"} {
				node, err := d.client().Lookup(context.Background(), name)
				require.NoError(t, err)
				ports[name] = node.Port
			}
			listed := fmt.Sprintf(`[{"alpha",%d},{"beta",%d}]`, ports["alpha"], ports["beta"])
			require.Equal(t, listed, a.Eval("{ok, L} = net_adm:names(), lists:sort(L)"))
			require.Equal(t, listed, b.Eval("{ok, L} = net_adm:names(), lists:sort(L)"))
			require.Equal(t, "pong", a.Eval("net_adm:ping('%s')", b.Name))
			require.Equal(t, "pong", b.Eval("net_adm:ping('%s')", a.Name))
			require.Equal(t, "pang", a.Eval("net_adm:ping('%s')", strings.Replace(b.Name, "beta", "gamma", 1)))

			before := creation(t, b)
			b.Kill()
			require.Eventually(t, func() bool { return len(names(t, d)) == 1 }, patience, 1e6)
			require.Equal(t, []string{"alpha"}, names(t, d))
			require.Equal(t, "pang", a.Eval("net_adm:ping('%s')", b.Name))

			b = otptest.StartNode(t, otptest.NodeConfig{Name: "beta" + host, Port: d.port})
			require.Equal(t, before+1, creation(t, b), "the next life has the next creation")
			require.Equal(t, "pong", a.Eval("net_adm:ping('%s')", b.Name))
			require.Equal(t, "pong", b.Eval("net_adm:ping('%s')", a.Name))
		})
	}
}

// creation asks a node for its creation.
func creation(t *testing.T, n *otptest.Node) int {
	t.Helper()
	c, err := strconv.Atoi(n.Eval("erlang:system_info(creation)"))
	require.NoError(t, err)
	return c
}

// TestNameTaken: a node whose name is taken does not start.
func TestNameTaken(t *testing.T) {
	d := start(t, program)
	otptest.StartNode(t, otptest.NodeConfig{Name: "only@127.0.0.1", Port: d.port})
	_, err := otptest.TryStartNode(t, otptest.NodeConfig{Name: "only@127.0.0.1", Port: d.port})
	require.Error(t, err)
	require.Equal(t, []string{"only"}, names(t, d))
}
