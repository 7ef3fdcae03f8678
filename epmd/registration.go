package epmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/dial"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// ErrLost says that the daemon, or the network, ended the connection of a
// registration.
var ErrLost = errors.New("the registration was lost")

// The pauses between tries to register again; nodes of OTP try every 2 seconds.
const (
	DefaultMinBackoff = 100 * time.Millisecond
	DefaultMaxBackoff = 5 * time.Second
)

// keptChanges is how many changes wait for somebody to read them.
const keptChanges = 16

// Registration is a node that is registered for as long as this holds: until
// Close, or until the connection to the daemon ends.
type Registration struct {
	client   Client
	nodes    []wire.Node
	byAlive3 bool // registered by ALIVE3_REQ
	lost     chan struct{}
	changes  chan Change
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc

	mu        sync.Mutex
	conn      net.Conn // nil while it is not held
	creations []uint32
	dialect   wire.Dialect
	err       error
}

// Change is one step in the life of a [Registration].
type Change struct {
	// Held says whether the node is registered now.
	Held bool
	// Creation is what the daemon told, if Held.
	Creation uint32
	// Err says why the registration was lost, or could not be made again.
	Err error
}

// Register registers a node and holds the registration. The context bounds the
// registering only.
//
// The error is a registry.Refusal for a node that every daemon refuses, a *wire.Error
// for one that no request can hold (with a NUL in its name), and
// ErrRefused if this one did (the name is taken, most likely); ErrNoAnswer if the
// daemon closed the connection, as it does for clients on other machines; an
// error of the network, or that of the context.
func (c *Client) Register(ctx context.Context, n wire.Node) (*Registration, error) {
	if err := registry.Check(n.Name, n.Extra); err != nil {
		return nil, fmt.Errorf("epmd: register %q: %w", n.Name, err)
	}
	if _, err := n.AppendAlive2Req(nil); err != nil {
		return nil, fmt.Errorf("epmd: register %q: %w", n.Name, err)
	}
	return c.hold(ctx, &Registration{nodes: []wire.Node{n}})
}

// hold registers, and goes on to hold it.
func (c *Client) hold(ctx context.Context, r *Registration) (*Registration, error) {
	r.client, r.lost, r.changes = *c, make(chan struct{}), make(chan Change, keptChanges)
	if err := r.register(ctx); err != nil {
		return nil, fmt.Errorf("epmd: register %q: %w", r.name(), err)
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go r.hold()
	return r, nil
}

// Node is the node as it was registered, the first of several.
func (r *Registration) Node() wire.Node { return r.nodes[0] }

func (r *Registration) name() string { return r.nodes[0].Name }

// Creation is what the daemon told at the last registration: 32 bits if the
// node's highest version is at least wire.Highest32BitCreation, else 1 to 3; of
// several nodes, the first one's. (OTP's own nodes go on with the first one when they
// come back.)
func (r *Registration) Creation() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.creations[0]
}

// Held says whether the node is registered now, as far as is known.
func (r *Registration) Held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conn != nil
}

// Lost is closed once the node is not registered any more and will not be again
// by itself: after Close, or when the connection was lost and the client does
// not reregister.
func (r *Registration) Lost() <-chan struct{} { return r.lost }

// Changes yields what happens to the registration, and is closed after the last.
// Nobody need read it: if it is full, the oldest change is dropped.
func (r *Registration) Changes() <-chan Change { return r.changes }

// Err says why the registration was lost for good, an ErrLost; nil as long as it
// is not, and after Close.
func (r *Registration) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Close ends the registration and waits until nothing of it runs any more.
// Closing twice is fine; the error is always nil.
func (r *Registration) Close() error {
	r.cancel()
	r.mu.Lock()
	if r.conn != nil {
		hangUp(r.conn) // the end of the connection is the end of the name
	}
	r.mu.Unlock()
	<-r.lost
	return nil
}

// hangUp ends a connection at once. To close it would not, while this program starts
// another: that has a copy of the socket until it runs.
func hangUp(nc net.Conn) {
	switch c := nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		_ = c.(interface{ CloseWrite() error }).CloseWrite() // it fails on one that has ended
	}
	_ = nc.Close() // whoever used it has nothing more to lose
}

// register makes one try.
func (r *Registration) register(ctx context.Context) error {
	ctx, cancel := r.client.withTimeout(ctx)
	defer cancel()
	if r.byAlive3 {
		return r.registerAll(ctx)
	}
	return r.registerOn(ctx, wire.Standard, r.exchangeOne)
}

// registerOn registers on a new connection.
func (r *Registration) registerOn(ctx context.Context, d wire.Dialect, all func(context.Context, net.Conn) ([]uint32, error)) error {
	nc, err := r.client.dial(ctx)
	if err != nil {
		return err
	}
	creations, err := all(ctx, nc)
	if err != nil {
		hangUp(nc) // its end is the end of what it holds
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn, r.creations, r.dialect = nc, creations, d
	r.change(Change{Held: true, Creation: creations[0]}) // who sees that it is held finds it told
	return nil
}

// exchangeOne registers the first node by ALIVE2_REQ.
func (r *Registration) exchangeOne(ctx context.Context, nc net.Conn) ([]uint32, error) {
	req, err := r.nodes[0].AppendAlive2Req(nil)
	if err != nil {
		return nil, err
	}
	creation, err := exchange(ctx, nc, req, wire.ParseAlive2Resp)
	return []uint32{creation}, err
}

// exchange sends a registration and reads the answer, but not a byte more.
func exchange(ctx context.Context, nc net.Conn, req []byte, parse func([]byte) (wire.Alive2Resp, int, error)) (creation uint32, err error) {
	began := time.Now()
	if err := send(nc, req); err != nil {
		return 0, reason(ctx, nc, began, err)
	}
	stop := interruptible(ctx, nc)
	var answer []byte
	for {
		var b [1]byte
		n, err := nc.Read(b[:])
		answer = append(answer, b[:n]...)
		resp, _, faulty := parse(answer)
		switch {
		case faulty == nil && !stop():
			return 0, context.Cause(ctx) // the deadline stays on the connection
		case faulty == nil && resp.Result != 0:
			return 0, fmt.Errorf("%w: the name is taken, most likely (result %d)", ErrRefused, resp.Result)
		case faulty == nil:
			return resp.Creation, nil
		case !errors.Is(faulty, wire.FaultIncomplete):
			return 0, badAnswer(answer, faulty)
		case ctx.Err() != nil:
			return 0, dial.Unanswered(ctx, nc, began)
		case err != nil && len(answer) == 0 && (errors.Is(err, io.EOF) || sockets.IsReset(err)):
			return 0, ErrNoAnswer
		case err != nil:
			return 0, badAnswer(answer, err)
		}
	}
}

// hold waits for the end of the connection and, if asked, makes another.
func (r *Registration) hold() {
	defer close(r.lost)
	defer close(r.changes)
	defer r.cancel()
	pause := r.client.minBackoff()
	for {
		since := time.Now()
		err := r.wait()
		if r.ctx.Err() != nil {
			return
		}
		err = fmt.Errorf("epmd: %q: %w: %w", r.name(), ErrLost, err)
		r.client.log().Warn("a registration was lost", "name", r.name(), "err", err)
		r.change(Change{Err: err})
		if !r.client.Reregister {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
			return
		}
		if time.Since(since) >= r.client.maxBackoff() {
			pause = r.client.minBackoff() // it was held well: begin anew
		}
		if !r.comeBack(&pause) {
			return
		}
	}
}

// wait reads until the connection ends, and says how it did. A daemon sends
// nothing after its answer; what comes all the same is passed over.
func (r *Registration) wait() error {
	r.mu.Lock()
	nc := r.conn
	r.mu.Unlock()
	var b [64]byte
	var err error
	for err == nil {
		_, err = nc.Read(b[:])
	}
	r.drop()
	return err
}

// drop gives up the connection.
func (r *Registration) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.conn.Close() // its end is all that it is good for
	r.conn = nil
}

// comeBack registers again, however often it takes; false if the registration was
// closed meanwhile. The pauses grow from call to call.
func (r *Registration) comeBack(pause *time.Duration) bool {
	for {
		select {
		case <-r.ctx.Done():
			return false
		case <-time.After(*pause/2 + rand.N(*pause/2+1)):
		}
		*pause = min(2**pause, r.client.maxBackoff())
		err := r.register(r.ctx)
		switch {
		case err == nil && r.ctx.Err() != nil: // closed while it was made
			r.drop()
			return false
		case err == nil:
			r.client.log().Info("a registration came back", "name", r.name(), "creation", r.Creation())
			return true
		case r.ctx.Err() != nil:
			return false
		}
		r.client.log().Debug("a registration cannot come back yet", "name", r.name(), "err", err)
		r.change(Change{Err: err})
	}
}

// change tells of a change, at the cost of the oldest that nobody has read.
func (r *Registration) change(c Change) {
	for {
		select {
		case r.changes <- c:
			return
		default:
		}
		select {
		case <-r.changes:
		default:
		}
	}
}

func (c *Client) minBackoff() time.Duration {
	if c.MinBackoff > 0 {
		return c.MinBackoff
	}
	return DefaultMinBackoff
}

func (c *Client) maxBackoff() time.Duration {
	if c.MaxBackoff > 0 {
		return max(c.MaxBackoff, c.minBackoff())
	}
	return max(DefaultMaxBackoff, c.minBackoff())
}
