package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
)

// serve runs the daemon and returns the exit status.
func serve(o options, args []string, stderr io.Writer) int {
	var starter *starter
	if o.daemon {
		if starter = fromStarter(); starter == nil && !hasPredecessor() {
			return detach(o, args, stderr)
		}
	}
	log := newLogger(o, stderr)
	err := listenAndServe(o, args, log, starter)
	var sig signalError
	switch {
	case errors.Is(err, epmd.ErrKilled), errors.Is(err, epmd.ErrIdle), errors.Is(err, epmd.ErrHandedOver):
		return 0
	case errors.Is(err, epmd.ErrAlreadyRunning):
		log.Debug(err.Error())
		starter.ready()
		return 0 // as good as running
	case errors.As(err, &sig):
		die(sig)
	}
	log.Error(err.Error())
	starter.failed(err)
	return 1
}

// listenAndServe listens, says that it does, and serves until the end, for which
// it gives the reason.
func listenAndServe(o options, args []string, log *slog.Logger, starter *starter) error {
	s, err := newServer(o, log)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	l := newLife(o, args, log, s)
	makeThreads()
	var web *webServer
	if hasPredecessor() { // what can fail comes before anything is taken over
		if web, err = listenHTTP(ctx, o, s, log); err != nil {
			return err
		}
	}
	lns, err := l.begin(ctx)
	if err != nil {
		return err
	}
	if o.debug > 0 {
		warnIfOpen(log, o.access, lns)
	}
	if web == nil {
		if web, err = listenHTTP(ctx, o, s, log); err != nil {
			return err
		}
	}
	l.upgrader.web = web
	web.serve(log)
	defer web.end()
	serving, ended := context.WithCancel(ctx)
	l.run(serving)
	starter.ready()
	go giveBackMemory(serving, s)
	err = s.ServeContext(ctx, lns...)
	_ = s.Close() // a Serve that failed at once has not ended it; Close has no error
	ended()
	l.end(err)
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, epmd.ErrServerClosed) {
		return cause
	}
	return err
}

func newServer(o options, log *slog.Logger) (*epmd.Server, error) {
	s := &epmd.Server{
		Port:                o.port,
		RelaxedCommandCheck: o.relaxed,
		MultiTransport:      o.multi,
		OneHolder:           o.oneHolder,
		PacketTimeout:       o.packetTimeout,
		AcceptDelay:         o.delayAccept,
		WriteDelay:          o.delayWrite,
		ExitIdle:            o.exitIdle,
		TakenGrace:          o.takenGrace,
		Logger:              log,
		MeasureLatency:      o.http != "",
	}
	if o.systemd {
		s.Port = 0 // it is that of the sockets
	}
	o.access.set(s)
	if o.debug > 0 {
		s.Remember = registry.DebugRemember
	}
	for _, a := range strings.FieldsFunc(o.addresses, isSeparator) {
		addr, err := netip.ParseAddr(a)
		if err != nil || addr.Zone() != "" { // OTP's takes none
			return nil, fmt.Errorf("cannot parse IP address %q", a)
		}
		s.Addresses = append(s.Addresses, addr)
	}
	return s, nil
}

// signalError is the end by a signal.
type signalError struct{ os.Signal }

func (e signalError) Error() string { return "ended by signal: " + e.String() }

// untilSignal gives a context that ends, with a signalError for its cause, when
// somebody asks the program to end.
func untilSignal() (context.Context, func()) {
	// A log that nobody reads must not end the daemon.
	signal.Ignore(ignoredSignals...)
	ctx, cancel := context.WithCancelCause(context.Background())
	c := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) { // as in the background of a script
			signal.Notify(c, s)
		}
	}
	go func() {
		select {
		case s := <-c:
			// The next one ends the program at once, and so does time, should
			// something hold up the shutdown, such as a log that nobody reads.
			signal.Reset()
			signal.Ignore(ignoredSignals...)
			if os.Getpid() == 1 {
				signal.Ignore(upgradeSignals...) // as before
			}
			time.AfterFunc(epmd.ShutdownGrace+time.Second, func() { die(signalError{s}) })
			cancel(signalError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(c)
		cancel(nil)
	}
}
