package upgrade_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

const (
	// nodes are registered by connections of the test.
	nodes = 1000
	// askers look up without a pause.
	askers = 4
	// patience is how long anything may take that should happen at once.
	patience = 60 * time.Second
)

// crowd is what depends on a daemon: nodes, real and others, and those who ask for
// them.
type crowd struct {
	dialer    rig.Dialer
	conns     map[string]*rig.Conn
	creations map[string]uint32
	erl       []*otptest.Node
	made      []string // creations of the real nodes

	stop   context.CancelFunc
	asking sync.WaitGroup
	asked  atomic.Int64
	cut    atomic.Int64 // lookups that were closed unanswered

	mu     sync.Mutex
	failed []error // lookups that failed otherwise
}

func nodeName(i int) string { return "node" + strconv.Itoa(i) }

// gather registers everybody with the daemon on a port, and begins to ask.
func gather(t *testing.T, port uint16) *crowd {
	c := &crowd{
		dialer: rig.Dialer{Port: port, Block: 1, Patience: patience},
		conns:  make(map[string]*rig.Conn), creations: make(map[string]uint32),
	}
	for i := range nodes {
		c.register(t, nodeName(i), uint16(i+1))
	}
	t.Cleanup(func() {
		for _, conn := range c.conns {
			conn.Close()
		}
	})
	for i := range 3 {
		n := otptest.StartNode(t, otptest.NodeConfig{Name: fmt.Sprintf("real%d@127.0.0.1", i), Port: int(port)})
		c.erl = append(c.erl, n)
		c.made = append(c.made, n.Eval("erlang:system_info(creation)"))
	}
	for i, n := range c.erl { // each with each: a lookup of their own might be one that is cut
		for _, other := range c.erl[:i] {
			require.Equal(t, "pong", n.Eval("net_adm:ping('%s')", other.Name))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	t.Cleanup(func() { cancel(); c.asking.Wait() })
	for i := range askers {
		c.asking.Go(func() { c.ask(ctx, i) })
	}
	return c
}

// register registers a name and keeps the connection and the creation.
func (c *crowd) register(t *testing.T, name string, port uint16) {
	t.Helper()
	conn, err := c.dialer.Dial()
	require.NoError(t, err)
	require.NoError(t, conn.Send(rig.Alive(name, port)))
	answer, err := conn.RecvLen(6, patience)
	require.NoError(t, err)
	resp, _, err := wire.ParseAlive2Resp(answer)
	require.NoError(t, err)
	require.Zero(t, resp.Result, name)
	c.conns[name], c.creations[name] = conn, resp.Creation
}

// ask looks up one node after another.
func (c *crowd) ask(ctx context.Context, i int) {
	d := rig.Dialer{Port: c.dialer.Port, Block: byte(10 + i), Patience: patience}
	for n := i; ctx.Err() == nil; n++ {
		port, found, err := d.Lookup(nodeName(n % nodes))
		c.asked.Add(1)
		switch {
		case errors.Is(err, rig.ErrClosed), errors.Is(err, testbed.ErrReset), errors.Is(err, syscall.ECONNRESET):
			c.cut.Add(1)
			continue
		case err == nil && (!found || port != uint16(n%nodes+1)):
			err = fmt.Errorf("%s: found %v at port %d", nodeName(n%nodes), found, port)
		}
		if err != nil {
			c.mu.Lock()
			c.failed = append(c.failed, err)
			c.mu.Unlock()
		}
	}
}

// require wants nobody to have noticed anything.
func (c *crowd) require(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	require.Empty(t, c.failed)
	c.mu.Unlock()
	list, err := c.dialer.List()
	require.NoError(t, err)
	require.Len(t, list, nodes+len(c.erl))
	for name, conn := range c.conns {
		require.True(t, conn.Open(), name)
		require.Contains(t, list, name)
	}
}

// finish stops asking, and wants everybody to be where they were, with creations that
// go on from those that they have.
func (c *crowd) finish(t *testing.T) {
	t.Helper()
	before := c.asked.Load()
	require.Eventually(t, func() bool { return c.asked.Load() > before+100 }, patience, time.Millisecond)
	c.stop()
	c.asking.Wait()
	c.require(t)
	for i, n := range c.erl {
		require.Equal(t, c.made[i], n.Eval("erlang:system_info(creation)"))
		require.Equal(t, "2", n.Eval("length(nodes())"), "they are connected")
		require.Equal(t, strconv.Itoa(nodes+len(c.erl)), n.Eval("length(element(2, erl_epmd:names({127,0,0,1})))"))
	}
	t.Logf("%d lookups, %d of them cut", c.asked.Load(), c.cut.Load())

	for i := range 20 { // an end is noticed, and the next creation is the next
		name := nodeName(i)
		last := c.creations[name]
		c.conns[name].Close()
		c.register(t, name, uint16(i+1))
		require.Equal(t, last+1, c.creations[name])
	}
	last, err := strconv.Atoi(c.made[0])
	require.NoError(t, err)
	c.erl[0].Kill()
	again := otptest.StartNode(t, otptest.NodeConfig{Name: c.erl[0].Name, Port: int(c.dialer.Port)})
	require.Equal(t, strconv.Itoa(last+1), again.Eval("erlang:system_info(creation)"))
	require.Equal(t, "pong", again.Eval("net_adm:ping('%s')", c.erl[1].Name))
}
