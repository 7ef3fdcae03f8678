package nodes

import (
	"context"
	"fmt"
	"sync"

	"github.com/goepmd/goepmd/conformance"
)

// stage is a daemon, and the nodes that the scenarios of a group share.
type stage struct {
	*run

	d     daemon
	begin sync.Once
	err   error // of the beginning

	mu    sync.Mutex
	nodes map[string]*cast
}

// cast is a node that is started once.
type cast struct {
	once sync.Once
	node *node
	err  error
}

func newStage(r *run) *stage {
	return &stage{run: r, d: daemon{start: r.suite.Start}, nodes: make(map[string]*cast)}
}

// daemon is the daemon, which is started when it is first needed.
func (st *stage) daemon(ctx context.Context) (*daemon, error) {
	st.begin.Do(func() {
		if st.d.port, st.err = conformance.FreePort(); st.err == nil {
			st.err = st.d.run(ctx)
		}
	})
	return &st.d, st.err
}

// close ends the nodes, which do not like to lose their input, and the daemon.
func (st *stage) close() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, c := range st.nodes {
		if c.node != nil {
			c.node.hangUp()
		}
	}
	_ = st.d.stop() // the results are there already
}

// start gives the node of a spec, which is started the first time.
func (st *stage) start(ctx context.Context, s spec) (*node, error) {
	st.mu.Lock()
	c := st.nodes[s.name]
	if c == nil {
		c = new(cast)
		st.nodes[s.name] = c
	}
	st.mu.Unlock()
	c.once.Do(func() { c.node, c.err = st.startNew(ctx, s) })
	return c.node, c.err
}

// startNew starts a node. If it gives a node with an error, that tells what the node
// printed.
func (st *stage) startNew(ctx context.Context, s spec) (*node, error) {
	d, err := st.daemon(ctx)
	if err != nil {
		return nil, err
	}
	b, err := st.hall.box(ctx, s.image())
	if err != nil {
		return nil, err
	}
	if s.module {
		if err := b.compileModule(ctx); err != nil {
			return nil, err
		}
	}
	done, err := st.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	n, err := b.startNode(ctx, s, d.port)
	if err != nil {
		return n, fmt.Errorf("node %s of OTP %d does not start: %w", s.name, s.otp, err)
	}
	return n, nil
}

// node is a node that is shared with other scenarios of the group.
func (t *trial) node(s spec) *node {
	return t.cast(s, t.stage.start)
}

// newNode is a node for this scenario alone, or another life of a shared one.
func (t *trial) newNode(s spec) *node {
	n := t.cast(s, t.stage.startNew)
	t.own = append(t.own, n)
	return n
}

func (t *trial) cast(s spec, start func(context.Context, spec) (*node, error)) *node {
	n, err := start(t.ctx, s)
	if n != nil {
		t.seen = append(t.seen, n)
	}
	t.must(err)
	t.step("start "+n.name(), "")
	return n
}

// daemon is the daemon of the group.
func (t *trial) daemon() *daemon {
	d, err := t.stage.daemon(t.ctx)
	t.must(err)
	return d
}
