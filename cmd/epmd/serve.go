package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	sd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
)

// serve runs the daemon and returns the exit status.
func serve(o options, args []string, stderr io.Writer) int {
	var starter *starter
	if o.daemon {
		if starter = fromStarter(); starter == nil {
			return detach(args, stderr)
		}
	}
	log := newLogger(o, stderr)
	err := listenAndServe(o, log, starter)
	var sig signalError
	switch {
	case errors.Is(err, epmd.ErrKilled), errors.Is(err, epmd.ErrIdle):
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
func listenAndServe(o options, log *slog.Logger, starter *starter) error {
	s, err := newServer(o, log)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	lns, err := listeners(ctx, o, s)
	if err != nil {
		return err
	}
	if o.debug > 0 {
		warnIfOpen(log, o.access, lns)
	}
	web, err := listenHTTP(ctx, o, s, log)
	if err != nil {
		return err
	}
	web.serve(log)
	defer web.end()
	starter.ready()
	if o.systemd {
		if _, err := sd.SdNotify(false, sd.SdNotifyReady); err != nil {
			log.Warn("systemd cannot be told that the daemon is ready", "err", err)
		}
	}
	serving, ended := context.WithCancel(ctx)
	go giveBackMemory(serving, s)
	err = s.ServeContext(ctx, lns...)
	ended()
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
		PacketTimeout:       o.packetTimeout,
		AcceptDelay:         o.delayAccept,
		WriteDelay:          o.delayWrite,
		ExitIdle:            o.exitIdle,
		Logger:              log,
		MeasureLatency:      o.http != "",
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

// listeners are those of the options, or of systemd.
func listeners(ctx context.Context, o options, s *epmd.Server) ([]net.Listener, error) {
	if !o.systemd {
		return s.Listen(ctx)
	}
	passed, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("cannot take the sockets of systemd: %w", err)
	}
	var lns []net.Listener
	for _, ln := range passed {
		if ln != nil { // others are no stream sockets
			lns = append(lns, ln)
		}
	}
	if len(lns) == 0 {
		return nil, errors.New("systemd provides no sockets: start epmd by its socket unit, or without -systemd")
	}
	return lns, nil
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
