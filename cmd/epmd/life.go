package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
)

// life is what a daemon begins with and leaves behind: it may take over from
// another, go on for one that died, or know the names of one that ended.
type life struct {
	o        options
	log      *slog.Logger
	server   *epmd.Server
	systemd  *systemd
	state    *stateFile
	upgrader *upgrader
	saving   sync.WaitGroup
	saved    chan struct{} // closed to end the saving
}

func newLife(o options, args []string, log *slog.Logger, s *epmd.Server) *life {
	l := &life{o: o, log: log, server: s, saved: make(chan struct{})}
	if o.systemd {
		l.systemd = newSystemd(log, s)
	}
	if l.keeps() || o.state != "" {
		s.OnEvent = l.onEvent
	}
	if o.state != "" {
		l.state = newStateFile(o.state, s.View().Snapshot, log)
	}
	at := placeOf(o)
	l.upgrader = &upgrader{
		server: s, log: log, args: args, state: l.state, systemd: l.systemd, place: at,
	}
	l.upgrader.catchSignals(at.pid)
	return l
}

// keeps says whether systemd keeps something.
func (l *life) keeps() bool { return l.systemd != nil && l.systemd.store != nil }

func (l *life) onEvent(e registry.Event, in registry.Inside) {
	if l.keeps() {
		l.systemd.store.OnEvent(e, in)
	}
	if l.state != nil {
		l.state.OnEvent(e, in)
	}
}

var errRelative = errors.New("with -daemon, -state needs a path that begins at the root")

// begin gives the listeners to serve: none, if the server serves already what it took
// over.
func (l *life) begin(ctx context.Context) ([]net.Listener, error) {
	l.upgrader.program, l.upgrader.unknown = programPath() // while the directory is that of the start
	if from := fromPredecessor(); from != nil {
		if err := l.resume(ctx, from); err != nil {
			return nil, err
		}
		l.upgrader.control.port = l.port(l.server.Addrs())
		return nil, nil
	}
	if l.systemd == nil {
		if err := enoughFiles(filesOf(l.o)); err != nil {
			return nil, err
		}
	}
	unfit := l.checkState()
	if unfit != nil && l.systemd == nil { // nobody shall connect
		if portTaken(ctx, l.server) { // all is well, whatever the file is
			return nil, epmd.ErrAlreadyRunning
		}
		return nil, unfit
	}
	lns, err := l.listen(ctx)
	if err != nil {
		return nil, err
	}
	l.upgrader.control.port = l.port(addresses(lns))
	if err := l.remember(ctx, unfit); err != nil {
		for _, ln := range lns {
			_ = ln.Close() // nobody was served
		}
		return nil, err
	}
	return lns, nil
}

// checkState says why the state cannot be kept where -state says; nil if it can.
func (l *life) checkState() error {
	if l.o.daemon && l.o.state != "" && !filepath.IsAbs(l.o.state) {
		return errRelative
	}
	return l.state.check()
}

// resume goes on for the daemon that started this one.
func (l *life) resume(ctx context.Context, from *net.UnixConn) error {
	predecessor, err := shareable(from)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	l.state.resume()
	if err := l.server.Resume(ctx, from); err != nil {
		return errors.Join(err, predecessor.Close())
	}
	l.upgrader.predecessor, l.upgrader.alone = predecessor, make(chan struct{})
	if l.keeps() {
		l.systemd.store.goOn()
	}
	if l.state != nil { // the other may not have written its last
		l.state.mark()
	}
	return nil
}

// port is the one that the server tells, and by which it is asked to upgrade itself.
func (l *life) port(of []net.Addr) uint16 {
	if l.systemd == nil {
		return l.o.port
	}
	return portOf(of)
}

func (l *life) listen(ctx context.Context) ([]net.Listener, error) {
	if l.systemd != nil {
		lns, err := l.systemd.passed(l.o)
		if err != nil || l.systemd.store.restores() { // then as many files do as the daemon before had
			return lns, err
		}
		if err := enoughFiles(filesOf(l.o)); err != nil {
			return nil, err
		}
		return lns, nil
	}
	return l.server.Listen(ctx)
}

// remember has the server begin with what others left. An unfit state file is an error, but for
// nodes whose connections systemd has kept: they outlive a daemon that cannot save.
func (l *life) remember(ctx context.Context, unfit error) error {
	kept := false
	if l.systemd != nil {
		var err error
		if kept, err = l.systemd.store.restore(); err != nil {
			return err
		}
	}
	if l.state == nil {
		return nil
	}
	if !kept { // what systemd kept is newer
		if unfit != nil {
			return unfit
		}
		names, err := l.state.begin(ctx, time.Now())
		if err != nil {
			return err
		}
		if err := l.server.Restore(epmd.Held{Names: names}); err != nil {
			return err
		}
	}
	// The file must not say for a moment longer that nothing changes any more. That it
	// cannot be written, it has said.
	if l.state.save(false) != nil {
		l.state.mark() // again, in a while
	}
	return nil
}

// run does what goes on beside the server, until the context ends.
func (l *life) run(ctx context.Context) {
	if l.state != nil {
		l.saving.Go(func() { l.state.run(l.saved) })
	}
	l.upgrader.onSignals(ctx)
	l.upgrader.control.open(l.upgrader)
	if l.upgrader.predecessor == nil {
		l.systemd.run(ctx)
		l.systemd.ready()
		return
	}
	l.upgrader.ready()
	// Where NotifyAccess=main, systemd hears this process once the one before has told it
	// which is the main one, and complains about what it hears earlier.
	go l.upgrader.outlive(ctx, func() {
		l.systemd.mainPID(os.Getpid()) // again, should the other have been killed before it could
		l.systemd.run(ctx)
	})
}

// end leaves everything in order, after the server has ended for a reason.
func (l *life) end(why error) {
	l.upgrader.control.close()
	close(l.saved)
	if errors.Is(why, epmd.ErrHandedOver) {
		l.upgrader.replies.Wait() // whoever asked for it is told
		return
	}
	if l.state != nil {
		l.saving.Wait()
		_ = l.state.save(true) // that it cannot, it says
	}
}
