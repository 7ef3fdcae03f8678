package epmd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Why [Server.Serve] ended.
var (
	// ErrServerClosed: Close or Shutdown was called, or the context ended.
	ErrServerClosed = engine.ErrClosed
	// ErrKilled: a KILL_REQ ended the server. OTP's epmd exits with status 0
	// then.
	ErrKilled = engine.ErrKilled
)

// Server is an EPMD. The zero value listens on port 4369 of every address and
// behaves as OTP's epmd does.
//
// Its fields must not be changed once it is in use. A server is used once: after
// it has ended, make another.
//
// The documentation of [Conn] says what the hooks may do.
type Server struct {
	// Addresses are the addresses for ListenAndServe and Listen to listen on.
	// Both loopback addresses, 127.0.0.1 and ::1, are added. None means all
	// addresses of both families. At most MaxAddresses may be named.
	Addresses []netip.Addr

	// Port is the TCP port for ListenAndServe and Listen, and the one that the
	// lists of names tell. Zero is wire.DefaultPort, 4369; with Serve alone it is
	// the port of the first listener that has one.
	Port uint16

	// RelaxedCommandCheck lets local clients end the server by KILL_REQ while
	// nodes are registered, and unregister nodes by STOP_REQ.
	RelaxedCommandCheck bool

	// MultiTransport takes six more requests, by which a node has several transports
	// under one name: see wire.MultiTransport. Without it they are garbage, as to
	// OTP's epmd.
	MultiTransport bool

	// OneHolder lets only the connection that holds a name add transports to it, with
	// MultiTransport; others are refused as if the name were taken. Without it any connection
	// that may register can, and its type and versions then stand for the whole name.
	OneHolder bool

	// AllowLookup and AllowNames are the networks whose peers may look nodes up, and
	// list them. Nil is everybody, as with OTP's epmd; a list that is empty but not
	// nil is nobody but local peers. Counted in Stats.Denied, like what follows.
	//
	// Local peers, those on this machine, always have what a list gives. A network
	// stands for addresses of its own family only.
	AllowLookup, AllowNames []netip.Prefix

	// AllowRegister and AllowStop are the networks whose peers may register nodes,
	// and may dump, kill and stop, as if they were local. Nil and empty are nobody
	// but local peers, as with OTP's epmd.
	//
	// A peer that may register holds names for as long as it likes, and the lists tell
	// no address: a node that looks one up takes it for a node of this machine.
	AllowRegister, AllowStop []netip.Prefix

	// Allow, if set, is asked whether a connection may make a request, after the
	// lists have allowed it and before it is looked into, and before HandleUnknown is
	// asked. It can refuse anybody, local peers too, and cannot allow what the lists do
	// not: to let it decide alone, list all addresses (0.0.0.0/0, ::/0). Counted in
	// Stats.Denied.
	Allow func(Conn, wire.Tag) bool

	// AdmitNode, if set, is asked about each registration that would be made, by
	// ALIVE2_REQ or ALIVE3_REQ, once for each request: when its bytes are good and
	// the peer may register, and before the name is looked at, so also about a name
	// that turns out to be taken. An error refuses it with result 1, as if the name were
	// taken. Counted in Stats.Refusals, as registry.RefusedNotAdmitted, and warned of.
	AdmitNode func(Conn, wire.Node) error

	// Resolve, if set, is asked for a name that nobody has registered here, before a
	// PORT_PLEASE2_REQ or PORT_PLEASE3_REQ is answered in the negative. The answer tells
	// the name that was asked for, whatever Node.Name is; a Node.Extra of more than
	// wire.MaxExtraBytes counts as false. To PORT_PLEASE3_REQ a node without a Transport
	// goes with any list, and another only with one that has it. Lists and events
	// do not tell of it, and the name stays free.
	Resolve func(name string) (wire.Node, bool)

	// HandleUnknown, if set, is asked about a request of a local peer (see Conn.IsLocal)
	// with a tag that no dialect knows, whichever this server speaks. body begins with the
	// tag, and is borrowed. It appends to reply, which is empty, and gives the result: it is
	// written as it is, so its frame, if any, belongs to it; then the connection is closed.
	// False closes it unanswered, as without the hook. Bytes that a peer does not read count
	// against MaxPendingBytes.
	HandleUnknown func(c Conn, body, reply []byte) ([]byte, bool)

	// RefuseKill answers a KILL_REQ or KILL3_REQ as if nodes were registered, also with
	// RelaxedCommandCheck: a local program cannot end this one. Where it is what keeps
	// the server from ending, it is counted in Stats.Denied, and warned of.
	RefuseKill bool

	// PacketTimeout is the time that a connection has to send its request. Zero is
	// DefaultPacketTimeout, 60 seconds; negative is no limit. A registered
	// connection has no timeout. Counted in Stats.TimedOut.
	PacketTimeout time.Duration

	// TimeoutRestarts makes each byte start PacketTimeout again, as OTP up to
	// 25 does. By default it counts from the accept, as in OTP 27 and 29, so that
	// slow senders cannot hold a connection for ever.
	TimeoutRestarts bool

	// WriteTimeout is the time that a client has to take a reply, which only
	// matters for long lists. Zero is DefaultWriteTimeout, 60 seconds; negative
	// is no limit. Other clients never wait for a slow one. Counted in
	// Stats.WriteErrors.
	WriteTimeout time.Duration

	// TakenGrace is how long the holder of a name may take to end before another
	// registration of it is refused: a node that restarts at once may ask before the end of
	// its former connection arrives. Only the one who asks waits; those who ask for one name
	// are served in the order in which they came. Zero is DefaultTakenGrace, 10 ms; negative
	// is none, as with OTP's epmd. A shutdown refuses those who wait at once.
	TakenGrace time.Duration

	// ExitIdle ends the server with ErrIdle when no node has been registered for so
	// long, counted from the first Serve too, so that no daemon is left behind. Zero
	// and negative are never. It waits for requests under way and connections that
	// wait to be accepted, so that no registration is answered and then lost; one
	// that arrives in the very moment of the end finds no server.
	ExitIdle time.Duration

	// AcceptDelay and WriteDelay pretend a busy daemon: a pause before each
	// accept, and before each reply. Unlike in OTP's epmd a delayed reply
	// delays its own client only.
	AcceptDelay, WriteDelay time.Duration

	// Remember is how many names of nodes gone by are remembered, as
	// registry.Config says. Zero is 1000.
	Remember int

	// MaxConns bounds the connections in total. Zero is what the limit of open files
	// leaves, at most DefaultMaxConns; negative is no limit. Of the default 16 are left
	// to requests, so that lookups are answered when nodes hold all the others. When it
	// is reached, the refused connection that has waited longest is closed to make room
	// for a new one, or, if none is refused, the unfinished one that has waited longest;
	// if there is none of these either, the new one is closed at once. A registered
	// node never has to go. Counted in Stats.LimitConns.
	MaxConns int

	// MaxConnsPerPeer bounds the connections from one peer: one IPv4 address, or the
	// addresses of IPv6 that agree in their first 64 bits, of which a machine may have
	// all. Zero is a quarter of MaxConns for addresses other than loopback, and no limit
	// for loopback; negative is no limit. A peer that counts for it may also have no more
	// than a quarter of MaxUnfinished in unfinished connections. Connections above these
	// bounds are closed at once. Counted in Stats.LimitPeer.
	MaxConnsPerPeer int

	// MaxUnfinished bounds the connections that have not completed a request, or
	// have not read its answer. One peer may have a quarter of them: see MaxConnsPerPeer.
	// Zero is a quarter of MaxConns, at most DefaultMaxUnfinished; negative is no
	// limit. When it is reached, the one that has waited longest is closed.
	// Counted in Stats.LimitUnfinished.
	MaxUnfinished int

	// MaxRefused bounds the connections that are kept open after their
	// registration was refused. Zero is a quarter of MaxConns, at most
	// DefaultMaxRefused; negative is no limit. When it is reached, the oldest is
	// closed. (OTP's epmd keeps them all, so that they can lock everybody else
	// out.) Counted in Stats.LimitRefused.
	MaxRefused int

	// MaxTransportsPerConn bounds the transports that one connection registers, with
	// MultiTransport. Zero is registry.DefaultMaxHeld, 256; negative is no limit. What
	// is above is refused. Counted in Stats.Refusals, as registry.RefusedHeld.
	MaxTransportsPerConn int

	// MaxPendingBytes bounds the bytes of replies that wait for clients to read
	// them, in total. Zero is DefaultMaxPendingBytes, 64 MiB; negative is no
	// limit. When it is exceeded, the client that has waited longest is closed; a
	// reply that waits alone may be longer. Counted in Stats.LimitPending.
	MaxPendingBytes int

	// KeepAlive is the time after which a silent connection of a registered node
	// is probed, over TCP, to notice a machine that is gone without a word: it
	// counts as closed when it has not answered 4 probes, 15 seconds apart. Zero is
	// DefaultKeepAlive, 60 seconds; negative is no probes. OTP's epmd sends none. A
	// connection that wraps one of TCP is probed too, if it has a method NetConn, as
	// that of TLS has.
	KeepAlive time.Duration

	// Engine is how connections are served. Zero, EngineAuto, is the fastest that
	// the system and the listeners are fit for.
	Engine Engine

	// Logger is told at level Debug what clients do, and at Warn and Error what
	// the operator should mend: a repeating warning once a second at most. Nil
	// is silent. It is called from wherever there is something to tell, as hooks are.
	Logger *slog.Logger

	// Now tells the registry the time, of which creations are made. Nil is
	// time.Now. Timeouts do not go by it.
	Now func() time.Time

	// OnRequest, if set, is called when it is known what becomes of a request,
	// before the answer is written.
	OnRequest func(Request)

	// ConnState, if set, is called as a connection enters each state.
	ConnState func(Conn, ConnState)

	// MeasureLatency counts Stats.Latencies, for two looks at the clock more for each
	// request.
	MeasureLatency bool

	// The fields from here on are for supervisors: see the documentation of the package.

	// ConnsKept says that somebody, such as a supervisor, holds descriptors of the
	// registered connections too (see File), for the next server to Restore. A
	// connection that ends is then ended for all who hold it. Those that are registered
	// when the server is closed or shut down stay open for whoever has a descriptor, but
	// not after a KILL_REQ.
	ConnsKept bool

	// OnEvent, if set, is told of each registration and its end before anybody is
	// answered, as registry.Config says: for a journal.
	OnEvent func(registry.Event, registry.Inside)

	once  sync.Once
	parts *parts
}

// parts is what a server consists of once it is used.
type parts struct {
	config  engine.Config
	report  report.Report
	engine  *chosen
	handing sync.RWMutex // locked for writing during a hand-over
}

func (s *Server) init() *parts {
	s.once.Do(func() {
		limits := s.resolveLimits(sockets.FileLimit())
		st := new(parts)
		s.reportTo(&st.report)
		c := &st.config
		if c.TakenGrace = orDuration(s.TakenGrace, DefaultTakenGrace); c.TakenGrace > 0 {
			c.Waiters = engine.NewWaiters()
		}
		c.Registry = registry.New(registry.Config{
			Now: s.now(&st.report), Remember: s.Remember, MaxHeld: limits.MaxHeld, OneHolder: s.OneHolder, FD: shown, OnEvent: s.onEvent(&st.report, c.Waiters),
		})
		c.Locals = engine.NewLocals(c.Registry, c.Waiters)
		c.Report, c.Limits = &st.report, limits
		c.AcceptDelay, c.WriteDelay, c.ExitIdle = s.AcceptDelay, s.WriteDelay, s.ExitIdle
		c.MeasureLatency, c.ConnsKept = s.MeasureLatency, s.ConnsKept
		c.Daemon = func(lns []net.Listener) session.Daemon { return s.daemon(c, s.port(lns)) }
		st.engine = newChosen(s.Engine, c, newIdleTimer(s.ExitIdle, c.Registry))
		s.parts = st
	})
	return s.parts
}

// ListenAndServe listens as Listen does, and serves as ServeContext does. Its
// error is never nil: that of Listen, or that of Serve.
func (s *Server) ListenAndServe(ctx context.Context) error {
	lns, err := s.Listen(ctx)
	if err != nil {
		return err
	}
	return s.ServeContext(ctx, lns...)
}

// ServeContext serves as Serve does, and shuts the server down when the context
// ends; requests under way then have ShutdownGrace to finish.
func (s *Server) ServeContext(ctx context.Context, lns ...net.Listener) error {
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, done := context.WithTimeout(context.WithoutCancel(ctx), ShutdownGrace)
		defer done()
		if err := s.Shutdown(grace); err != nil {
			s.init().report.Log.Warn("requests were cut short by the end of the server", "err", err)
		}
	})
	err := s.Serve(lns...)
	if !cancel() {
		<-ended
	}
	return err
}

// Serve serves the given listeners, of any kind, and closes them when it
// ends, or before. It may be called several times, also at once. If one of them is of a
// kind that the epoll engine cannot serve, the portable engine serves all of them; the
// choice that the first call to succeed makes stands.
//
// Its error is never nil. When the server ends, all calls return, with ErrServerClosed,
// ErrKilled, ErrIdle or ErrHandedOver, and no goroutine of the server is left. Before that
// a call returns in two cases, and the server goes on, with all registrations and the
// listeners of other calls: it cannot begin to serve its listeners, since one is closed,
// descriptors are short, or the engine is not fit (ErrEngine); or all its listeners have
// failed for good. A server that serves nothing after that can be given to Serve again;
// Close releases what it holds.
//
// A listener fails for good with an error of Accept that says so, such as net.ErrClosed, or
// that is unknown. It is then closed and logged, and the others go on. If it was the last one
// of the server, the server ends, and Serve returns its error. After other errors (of the
// system, or a net.Error that is Temporary) a listener is asked again, 5 ms later and twice as long
// after each failure in a row, up to a second; they are counted in Stats.AcceptErrors.
func (s *Server) Serve(lns ...net.Listener) error {
	return s.init().engine.serve(lns)
}

// Shutdown ends the server in good order: it accepts no more connections, waits
// for requests that have begun to arrive until the context ends, and then
// drops all connections, those of registered nodes too. If it had to cut a
// request short, its error is the context's. It returns when nothing of the server
// runs any more, hooks and the logger included. Calling it again, or after Close,
// is fine. It must not be called from a hook.
func (s *Server) Shutdown(ctx context.Context) error {
	return s.init().engine.end(func(e anyEngine) error { return e.Shutdown(ctx) })
}

// Close drops all connections at once and ends the server, with what Restore was given and
// no Serve has served. Calling it again is fine; its error is always nil. It must not be
// called from a hook.
func (s *Server) Close() error {
	return s.init().engine.end(func(e anyEngine) error {
		e.Close()
		return nil
	})
}

// Addrs are the addresses of the listeners that are being served.
func (s *Server) Addrs() []net.Addr {
	e, _ := s.init().engine.get()
	return e.Addrs()
}

// Unregister unregisters a node by force and closes its connection, as a STOP_REQ
// does, and says whether there was such a node.
func (s *Server) Unregister(name string) bool {
	st := s.init()
	st.handing.RLock()
	defer st.handing.RUnlock()
	owners := st.config.Registry.Unregister([]byte(name), registry.ReasonStopped)
	e, _ := st.engine.get()
	e.Evict(owners)
	return owners != nil
}

// RegisterLocal registers a node of this program itself, without a connection; it is listed
// and looked up like any other, until release. The creation tells one life of the node from
// the next, as that of an ALIVE2_RESP does: 1 to 3 if n.Highest is below
// wire.Highest32BitCreation, else above 3. release may be called again, and never ends a later
// holder's registration.
//
// The name counts for KILL_REQ and ExitIdle, and events tell of it. Its owner is at least
// registry.LocalOwners: it has no File and is in no Remotes, and dumps show 0 for it.
// STOP_REQ and Unregister end it, of which only events tell. It ends with its server, also by a
// Handoff: to the successor, as to a server that is given its name by Restore, it has ended,
// and its next creation is another one. AdmitNode is not asked.
//
// It may come before Serve, but after Restore and Resume, which need an empty registry. It
// waits for nothing: a name that is registered, or that a connection waits for (see
// TakenGrace), is taken. n.Transport must be empty. The error is ErrServerClosed once the
// server has ended, a registry.Refusal such as registry.RefusedTaken, or that of
// wire.Node.AppendAlive2Req for what no node can be called.
func (s *Server) RegisterLocal(n wire.Node) (creation uint32, release func(), err error) {
	if n.Transport != "" {
		return 0, nil, fmt.Errorf("epmd: a node of this program is registered without a transport, and not with %q", n.Transport)
	}
	if _, err := n.AppendAlive2Req(nil); err != nil {
		return 0, nil, fmt.Errorf("epmd: cannot register a node of this program: %w", err)
	}
	st := s.init()
	o, creation, err := st.config.Locals.Register(n)
	if err != nil {
		return 0, nil, fmt.Errorf("epmd: cannot register %q for this program: %w", n.Name, err)
	}
	return creation, func() { st.config.Registry.Release(o, registry.ReasonClosed) }, nil
}

// shown is what dumps show of an owner.
func shown(o registry.Owner) uint64 {
	if o >= registry.LocalOwners {
		return 0
	}
	return uint64(o) & (1<<engine.ShownBits - 1)
}

// dialect is the requests that are answered.
func (s *Server) dialect() wire.Dialect {
	if s.MultiTransport {
		return wire.MultiTransport
	}
	return wire.Standard
}

// port is what the lists tell as the server's own port.
func (s *Server) port(lns []net.Listener) uint16 {
	if s.Port != 0 {
		return s.Port
	}
	for _, ln := range lns {
		if a, ok := ln.Addr().(*net.TCPAddr); ok {
			return uint16(a.Port)
		}
	}
	return wire.DefaultPort
}
