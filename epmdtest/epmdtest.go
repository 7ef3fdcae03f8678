// Package epmdtest gives tests an EPMD of their own: a daemon on a free loopback
// port that ends with the test, in the manner of net/http/httptest.
package epmdtest

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// waitTime is how long the Wait methods wait before they fail the test.
const waitTime = 10 * time.Second

// Server is a running EPMD.
type Server struct {
	// Server is the daemon itself.
	*epmd.Server
	// Addr is its address, "127.0.0.1:PORT".
	Addr string

	tb    testing.TB
	ended chan error
}

// NewServer starts a daemon on a free port of 127.0.0.1, which is closed when
// the test ends. The options may change the server's fields before it starts. It
// fails the test if it cannot listen, and when the daemon ends for another
// reason than that it was closed or killed.
func NewServer(tb testing.TB, opts ...func(*epmd.Server)) *Server {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("epmdtest: cannot listen on loopback: %v", err)
	}
	s := &Server{
		Server: new(epmd.Server),
		Addr:   ln.Addr().String(),
		tb:     tb,
		ended:  make(chan error, 1),
	}
	for _, opt := range opts {
		opt(s.Server)
	}
	go func() { s.ended <- s.Serve(ln) }()
	tb.Cleanup(func() {
		_ = s.Close() // is always nil
		if err := <-s.ended; !errors.Is(err, epmd.ErrServerClosed) && !errors.Is(err, epmd.ErrKilled) {
			tb.Errorf("epmdtest: the daemon ended by itself: %v", err)
		}
	})
	return s
}

// Port is the port on which the daemon listens: what ERL_EPMD_PORT has to be
// for Erlang nodes to use it.
func (s *Server) Port() int {
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.tb.Fatalf("epmdtest: %v", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		s.tb.Fatalf("epmdtest: %v", err)
	}
	return n
}

// Client is a client of the daemon.
func (s *Server) Client() *epmd.Client { return &epmd.Client{Addr: s.Addr} }

// Node registers a node, as today's OTP would, until the test ends or the
// registration is closed. It fails the test if the daemon refuses.
func (s *Server) Node(name string, port uint16) *epmd.Registration {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitTime)
	defer cancel()
	r, err := s.Client().Register(ctx, wire.Node{
		Name: name, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5,
	})
	if err != nil {
		s.tb.Fatalf("epmdtest: %v", err)
	}
	s.tb.Cleanup(func() { _ = r.Close() }) // is always nil
	return r
}

// WaitNames waits until exactly these nodes are registered, in any order. It
// fails the test if that does not come to be within 10 seconds.
func (s *Server) WaitNames(names ...string) {
	s.tb.Helper()
	want := slices.Sorted(slices.Values(names))
	sub, now := s.View().Subscribe(1)
	defer sub.Close()
	deadline := time.NewTimer(waitTime)
	defer deadline.Stop()
	for {
		var got []string
		for _, e := range now.Nodes {
			got = append(got, e.Node.Name)
		}
		if slices.Sort(got); slices.Equal(got, want) {
			return
		}
		select {
		case <-sub.C:
			now = s.View().Snapshot()
		case <-deadline.C:
			s.tb.Fatalf("epmdtest: registered are %q, and not %q, after %v", got, want, waitTime)
		}
	}
}
