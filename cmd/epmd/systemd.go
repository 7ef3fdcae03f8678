package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	sd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/goepmd/goepmd/epmd"
)

// systemd is what the daemon says to systemd, and what it has it keep. A nil systemd
// says nothing.
type systemd struct {
	log    *slog.Logger
	server *epmd.Server
	store  *store // nil if nothing is kept
}

// newSystemd takes what systemd passes: listeners, and what it kept of a daemon that
// died.
func newSystemd(log *slog.Logger, s *epmd.Server) *systemd {
	d := &systemd{log: log, server: s}
	// systemd from 254 on says so by itself, and what it is told of older ones by their unit.
	most, _ := strconv.Atoi(os.Getenv("FDSTORE")) // what is no number is nothing
	if os.Getenv("NOTIFY_SOCKET") != "" && most > 0 {
		d.store = newStore(log, s, most)
	}
	return d
}

// passed are the listeners that systemd passes, those on the port that was asked for first:
// the first one's port is told. All else that it passes goes to the store.
func (d *systemd) passed(o options) ([]net.Listener, error) {
	var lns []net.Listener
	var units []string
	for _, f := range activation.Files(true) {
		if d.store.takes(f) {
			continue
		}
		ln, err := net.FileListener(f)
		_ = f.Close() // there is another one, or it is no stream socket
		switch {
		case err == nil:
			lns = append(lns, ln)
			units = append(units, f.Name())
		case noFiles(err):
			return nil, fmt.Errorf("a socket of systemd cannot be taken: raise the limit of open files, by LimitNOFILE= of the unit: %w", err)
		}
	}
	if len(lns) == 0 {
		return nil, errors.New("systemd provides no sockets: start epmd by its socket unit, or without -systemd")
	}
	slices.SortStableFunc(lns, func(a, b net.Listener) int {
		return cmp.Compare(distance(a, o.port), distance(b, o.port))
	})
	warnOverridden(d.log, o, addresses(lns), units)
	return lns, nil
}

// distance is 0 for a listener on a port, and 1 for any other.
func distance(ln net.Listener, port uint16) int {
	if tcpPort(ln.Addr()) == port {
		return 0
	}
	return 1
}

func (d *systemd) on() bool { return d != nil }

// noFiles says whether an error is that there is no descriptor left.
func noFiles(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }

// say tells systemd something. It must not be called from the server's hooks: it may wait.
func (d *systemd) say(words ...string) {
	if d == nil {
		return
	}
	if _, err := sd.SdNotify(false, strings.Join(words, "\n")); err != nil {
		d.log.Warn("systemd cannot be told", "what", words[0], "err", err)
	}
}

func (d *systemd) ready() { d.say(sd.SdNotifyReady) }

// mainPID says that a process serves and is the main one. It is one message: a successor
// that is ready before systemd knows it has its end taken for the unit's.
func (d *systemd) mainPID(pid int) {
	d.say(fmt.Sprintf("MAINPID=%d", pid), sd.SdNotifyReady, "STATUS=")
}

// reloading says that a reload begins, which is an upgrade: the next daemon ends it by
// being ready.
func (d *systemd) reloading() { d.say(sd.SdNotifyReloading, monotonic()) }

func (d *systemd) reloadFailed(err error) {
	d.say(sd.SdNotifyReady, "STATUS=The reload failed: "+strings.ReplaceAll(err.Error(), "\n", " "))
}

// run keeps the watchdog quiet and the store up to date, until the context ends.
func (d *systemd) run(ctx context.Context) {
	if d == nil {
		return
	}
	if d.store != nil {
		go d.store.run(ctx)
	}
	every, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		d.log.Warn("the watchdog is not understood", "err", err)
	}
	if err == nil && every > 0 {
		go d.watchdog(ctx, every/2)
	}
}

// watchdog says so as often as the server's own loop does something when it is asked
// to.
func (d *systemd) watchdog(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	for {
		if d.server.Check(ctx) == nil {
			d.say(sd.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// journalFile is the journal, for the next daemon to go on with; nil if there is none.
func (d *systemd) journalFile() *os.File {
	if d == nil || d.store == nil {
		return nil
	}
	return d.store.file
}
