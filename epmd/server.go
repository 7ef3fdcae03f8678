package epmd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Why [Server.Serve] ended.
var (
	// ErrServerClosed: Close or Shutdown was called, or the context ended.
	ErrServerClosed = errors.New("epmd: server closed")
	// ErrKilled: a KILL_REQ ended the server. OTP's epmd exits with status 0
	// then.
	ErrKilled = errors.New("epmd: killed by a KILL_REQ")
)

// Server is an EPMD. The zero value listens on port 4369 of every address and
// behaves as OTP's epmd does.
//
// Its fields must not be changed once it is in use. A server is used once: after
// it has ended, make another.
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

	// PacketTimeout is the time that a connection has to send its request. Zero is
	// DefaultPacketTimeout, 60 seconds; negative is no limit. A registered
	// connection has no timeout. Counted in Stats.TimedOut.
	PacketTimeout time.Duration

	// TimeoutRestarts makes each byte start PacketTimeout again, as OTP up to
	// 27 does. By default it counts from the accept, as in OTP 29, so that
	// slow senders cannot hold a connection for ever.
	TimeoutRestarts bool

	// WriteTimeout is the time that a client has to take a reply, which only
	// matters for long lists. Zero is DefaultWriteTimeout, 60 seconds; negative
	// is no limit. Other clients never wait for a slow one. Counted in
	// Stats.WriteErrors.
	WriteTimeout time.Duration

	// AcceptDelay and WriteDelay pretend a busy daemon: a pause before each
	// accept, and before each reply. Unlike in OTP's epmd a delayed reply
	// delays its own client only.
	AcceptDelay, WriteDelay time.Duration

	// Remember is how many names of nodes gone by are remembered, as
	// registry.Config says. Zero is 1000.
	Remember int

	// MaxConns bounds the connections in total. Zero is what the limit of open
	// files leaves, at most DefaultMaxConns; negative is no limit. When it is
	// reached a new connection takes the place of the refused or unfinished one
	// that has waited longest; if there is none, it is closed at once. A
	// registered node never has to go. Counted in Stats.LimitConns.
	MaxConns int

	// MaxConnsPerPeer bounds the connections from one remote address. Zero is a
	// quarter of MaxConns for addresses other than loopback, and no limit for
	// loopback; negative is no limit. What is above is closed at once. Counted in
	// Stats.LimitPeer.
	MaxConnsPerPeer int

	// MaxUnfinished bounds the connections that have not completed a request, or
	// have not taken its answer.
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

	// Logger is told at level Debug what clients do, and at Warn and Error what
	// the operator should mend: a repeating warning once a second at most. Nil
	// is silent.
	Logger *slog.Logger

	// Now tells the registry the time, of which creations are made. Nil is
	// time.Now. Timeouts do not go by it.
	Now func() time.Time

	// OnRequest, if set, is called after each request was answered or closed
	// unanswered, from the connection's own goroutine: several calls may run at
	// once. It must return soon, since the end of the server waits for it, and
	// must not call Close or Shutdown.
	OnRequest func(Request)

	// ConnState, if set, is called as a connection enters each state, under the
	// rules of OnRequest.
	ConnState func(Conn, ConnState)

	once  sync.Once
	state *state
}

// state is what a server has once it is used.
type state struct {
	limits   limits
	log      *slog.Logger
	registry *registry.Registry
	counters counters
	engine   engine
}

// engine serves listeners. All engines answer alike; they differ in what a
// connection costs. Every method may be called at any time, and more than once.
type engine interface {
	// serve adds listeners and returns when the server has ended and nothing of
	// it runs any more. It closes the listeners.
	serve([]net.Listener) error
	// shutdown accepts no more, lets requests under way finish until the context
	// ends, then drops everything and returns when nothing runs any more. Its
	// error is the context's if it cut a request short.
	shutdown(context.Context) error
	// close drops everything and returns when nothing runs any more.
	close()
	// addrs are those of the listeners.
	addrs() []net.Addr
	// evict closes the connections of owners whose names were stopped.
	evict([]registry.Owner)
	// count fills in how many connections there are.
	count(*Stats)
}

func (s *Server) init() *state {
	s.once.Do(func() {
		st := &state{
			limits:   s.resolveLimits(fileLimit()),
			log:      s.Logger,
			registry: registry.New(registry.Config{Now: s.Now, Remember: s.Remember}),
		}
		if st.log == nil {
			st.log = slog.New(slog.DiscardHandler)
		}
		st.engine = newPortable(s, st)
		s.state = st
	})
	return s.state
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
			s.init().log.Warn("requests were cut short by the end of the server", "err", err)
		}
	})
	err := s.Serve(lns...)
	if !cancel() {
		<-ended
	}
	return err
}

// Serve serves the given listeners, of any kind, and closes them when it
// ends. It may be called several times, also at once; they all end together. Its
// error is never nil: ErrServerClosed, ErrKilled, or that of a listener which
// failed for good. When it returns, no goroutine of the server is left.
func (s *Server) Serve(lns ...net.Listener) error {
	return s.init().engine.serve(lns)
}

// Shutdown ends the server in good order: it accepts no more connections, waits
// for requests that have begun to arrive until the context ends, and then
// drops all connections, those of registered nodes too. If it had to cut a
// request short, its error is the context's. It returns when nothing of the server
// runs any more, hooks and the logger included. Calling it again, or after Close,
// is fine. It must not be called from a hook.
func (s *Server) Shutdown(ctx context.Context) error { return s.init().engine.shutdown(ctx) }

// Close drops all connections at once and ends the server. Calling it again is
// fine; its error is always nil. It must not be called from a hook.
func (s *Server) Close() error {
	s.init().engine.close()
	return nil
}

// Addrs are the addresses of the listeners that are being served.
func (s *Server) Addrs() []net.Addr { return s.init().engine.addrs() }

// Registry is the names that the server holds: to look at, and to subscribe to.
func (s *Server) Registry() *registry.Registry { return s.init().registry }

// Unregister unregisters a node by force and closes its connection, as a STOP_REQ
// does, and says whether there was such a node.
func (s *Server) Unregister(name string) bool {
	st := s.init()
	owners := st.registry.Unregister([]byte(name), registry.ReasonStopped)
	st.engine.evict(owners)
	return owners != nil
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
