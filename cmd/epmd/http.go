package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdhttp"
	"github.com/goepmd/goepmd/internal/version"
)

const (
	// httpTime is how long a client of -http may take to ask, and to take an answer; the
	// streams of the page have bounds of their own.
	httpTime = 30 * time.Second
	// httpIdle is how long a connection may wait for another request.
	httpIdle = 2 * time.Minute
	// httpGrace is how long answers under way have when the daemon ends.
	httpGrace = 2 * time.Second
	// httpHeader bounds what a client may say of itself, in bytes.
	httpHeader = 16 << 10
	// httpConns bounds the connections, which take descriptors that nodes may need. One more
	// is closed at once.
	httpConns = 64
)

// httpAddress is the address that -http means: a port alone is on loopback.
func httpAddress(value string) string {
	if !strings.Contains(value, ":") {
		return net.JoinHostPort("127.0.0.1", value)
	}
	return value
}

// webServer is what -http serves; nil is nothing.
type webServer struct {
	listener net.Listener
	handler  *epmdhttp.Handler
	server   *http.Server
	ended    chan struct{}
}

// listenHTTP listens where -http says, if it is given.
func listenHTTP(ctx context.Context, o options, s *epmd.Server, log *slog.Logger) (*webServer, error) {
	if o.http == "" {
		return nil, nil
	}
	ln, err := httpListener(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for -http: %w; choose another address, or leave -http out", err)
	}
	if a, ok := ln.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		log.Warn("the status page is open to everybody who reaches it: give -http a loopback address, or see to a firewall", "address", ln.Addr())
	}
	w := &webServer{
		listener: ln,
		handler:  epmdhttp.New(s, epmdhttp.Options{Version: version.Number(), Hosts: ownNames()}),
		ended:    make(chan struct{}),
	}
	w.server = &http.Server{
		Handler:        w.handler,
		ReadTimeout:    httpTime,
		WriteTimeout:   httpTime,
		IdleTimeout:    httpIdle,
		MaxHeaderBytes: httpHeader,
		ConnState:      atMost(httpConns),
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	log.Debug("showing", "address", ln.Addr())
	return w, nil
}

// atMost is an http.Server's ConnState that closes a connection if there are so many others.
func atMost(conns int64) func(net.Conn, http.ConnState) {
	var open atomic.Int64
	return func(c net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			if open.Add(1) > conns {
				_ = c.Close() // the server sees it closed, and says so here
			}
		case http.StateClosed:
			open.Add(-1)
		}
	}
}

// httpEnv tells a daemon by which descriptor to take over the listener of -http from
// another, which still holds the address.
const httpEnv = "GOEPMD_HTTP_FD"

func httpListener(ctx context.Context, o options) (net.Listener, error) {
	if fd, ok := inherited(httpEnv); ok {
		f := os.NewFile(uintptr(fd), "http")
		defer func() { _ = f.Close() }() // the listener has another one
		return net.FileListener(f)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", httpAddress(o.http))
}

// file is another descriptor of the listener, for a successor; nil if there is none.
func (w *webServer) file() (*os.File, error) {
	if w == nil {
		return nil, nil
	}
	return shareable(w.listener.(*net.TCPListener))
}

// letGo accepts no more: a successor has the listener. What was accepted is answered.
func (w *webServer) letGo() {
	if w != nil {
		_ = w.listener.Close() // nothing is lost in it
	}
}

// ownNames are the names by which people on this machine call it, besides localhost.
func ownNames() []string {
	name, err := os.Hostname()
	if err != nil {
		return nil // localhost is enough
	}
	return []string{name}
}

// serve serves until end. Should it fail, the daemon goes on: its nodes need it more.
func (w *webServer) serve(log *slog.Logger) {
	if w == nil {
		return
	}
	go func() {
		defer close(w.ended)
		if err := w.server.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			log.Error("the status page has failed and is gone until the daemon is started again", "address", w.listener.Addr(), "err", err)
		}
	}()
}

// end ends what serve began, and waits for it.
func (w *webServer) end() {
	if w == nil {
		return
	}
	_ = w.handler.Close() // is always nil
	ctx, cancel := context.WithTimeout(context.Background(), httpGrace)
	defer cancel()
	if w.server.Shutdown(ctx) != nil {
		_ = w.server.Close() // who has not taken an answer by now goes without
	}
	<-w.ended
}
