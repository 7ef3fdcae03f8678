package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
)

// store is what systemd keeps of the daemon, for the next one, should it die: the
// connection of each registered node, and a journal of the names, in memory. The
// journal is written before a node is answered. The connections are sent after that, by a
// goroutine that may wait for systemd: that of a node which registered in the very last
// moment may be missing, and the node then sees it end, and registers again.
type store struct {
	log    *slog.Logger
	server *epmd.Server
	notify *net.UnixConn

	file    *os.File // the journal
	journal *state.Journal
	failing bool

	passed map[registry.Owner]*os.File // connections that were kept

	// The goroutine's own.
	most  int                    // connections that systemd keeps
	names map[registry.Owner]int // how many names or transports an owner has
	kept  map[registry.Owner]bool
	bytes int // of the names of what is kept
	full  bool
}

// The names under which systemd keeps things: connections have a number after the
// prefix. They are short since the next daemon is started with all of them in one
// environment variable, for which Linux has 128 KiB: storeBytes leaves some to spare.
const (
	storeJournal    = "goepmd-state"
	storeConnPrefix = "n."
	storeBytes      = 100_000
)

func connName(o registry.Owner) string { return storeConnPrefix + strconv.FormatUint(uint64(o), 36) }

// newStore has systemd keep at most so many files. One remains free: a systemd that
// has no room takes a file that it has already, and is sent again, for one too many.
func newStore(log *slog.Logger, s *epmd.Server, files int) *store {
	addr := &net.UnixAddr{Net: "unixgram", Name: os.Getenv("NOTIFY_SOCKET")}
	c, err := net.DialUnix(addr.Net, nil, addr)
	if err != nil {
		log.Warn("systemd cannot keep connections", "err", err)
		return nil
	}
	st := &store{
		log: log, server: s, notify: c, most: files - 2,
		passed: make(map[registry.Owner]*os.File),
		names:  make(map[registry.Owner]int), kept: make(map[registry.Owner]bool),
	}
	if fd, ok := inherited(journalEnv); ok {
		st.useJournal(os.NewFile(uintptr(fd), storeJournal))
	}
	s.ConnsKept = true
	return st
}

// takes takes a file if it is one that was kept. Where nothing is kept any more it ends.
func (st *store) takes(f *os.File) bool {
	if f.Name() == storeJournal {
		if st == nil || st.file != nil { // one is enough
			_ = f.Close()
			return true
		}
		st.useJournal(f)
		return true
	}
	number, ok := strings.CutPrefix(f.Name(), storeConnPrefix)
	if !ok {
		return false
	}
	n, err := strconv.ParseUint(number, 36, 64)
	if err != nil || st != nil && st.passed[registry.Owner(n)] != nil {
		return false
	}
	if st == nil {
		_ = f.Close() // its node sees the end
		return true
	}
	st.passed[registry.Owner(n)] = f
	return true
}

// restores says whether connections were kept, which takes has taken.
func (st *store) restores() bool { return st != nil && len(st.passed) > 0 }

func (st *store) useJournal(f *os.File) {
	st.file = f
	st.journal = state.NewJournal(f, st.server.Remember)
	st.journal.Free = func(at, n int64) {
		// If the system cannot, it costs memory, and no more.
		_ = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, n)
	}
}

// restore has the server begin with what was kept of one that died, and says whether
// there was something. If it fails, this process has too few files for that: systemd still
// keeps everything.
func (st *store) restore() (bool, error) {
	if st == nil {
		return false, nil
	}
	var failed error
	if st.file != nil && len(st.passed) == 0 && isEmpty(st.file) {
		return false, nil // nobody registered with the daemon before: the journal begins with this one
	}
	if st.file != nil {
		names, err := state.ReadJournal(st.file)
		if err == nil {
			conns, n := st.passed, len(st.passed)
			st.passed = make(map[registry.Owner]*os.File)
			for o := range conns {
				st.kept[o] = true
				st.bytes += len(connName(o)) + 1
			}
			err = st.server.Restore(epmd.Held{Names: names, Conns: conns})
			switch {
			case err == nil:
				nodes := st.server.View().Len()
				st.log.Info("going on for the daemon before", "nodes", nodes, "connections", n)
				_ = st.say(fmt.Sprintf("STATUS=Went on for the daemon before, with %d names", nodes), nil) // it says so itself
				return true, nil
			case noFiles(err):
				return false, err
			}
		}
		failed = err
		_ = st.file.Close() // it is of no use
		st.file = nil
	}
	if failed != nil || len(st.passed) > 0 {
		st.log.Warn("what systemd kept cannot be used; nodes register again", "err", failed, "connections", len(st.passed))
		_ = st.say("FDSTOREREMOVE=1\nFDNAME="+storeJournal, nil) // it says so itself
	}
	for o, f := range st.passed {
		_ = f.Close()                                           // its node sees the end
		_ = st.say("FDSTOREREMOVE=1\nFDNAME="+connName(o), nil) // likewise
	}
	st.newJournal()
	return false, nil
}

func isEmpty(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Size() == 0
}

// goOn goes on with the journal of the daemon that was taken over, if it had one.
func (st *store) goOn() {
	if st.file == nil {
		st.newJournal()
	}
}

// newJournal begins a journal, and has systemd keep it.
func (st *store) newJournal() {
	fd, err := unix.MemfdCreate(storeJournal, unix.MFD_CLOEXEC)
	if err != nil {
		st.log.Warn("there can be no journal for systemd to keep", "err", err)
		return
	}
	f := os.NewFile(uintptr(fd), storeJournal)
	st.useJournal(f)
	_ = st.say("FDSTORE=1\nFDPOLL=0\nFDNAME="+storeJournal, f) // it says so itself
}

// OnEvent writes the journal. What ends with the server does not end for the next one.
func (st *store) OnEvent(e registry.Event, in registry.Inside) {
	if st.journal == nil || e.Reason == registry.ReasonShutdown {
		return
	}
	st.journal.OnEvent(e, in)
	err := st.journal.Err()
	if err != nil && !st.failing {
		st.log.Warn("the journal cannot be written; a daemon that dies now is not gone on for", "err", err)
	}
	st.failing = err != nil
}

// sayPatience is how long systemd may take to take one message.
const sayPatience = 5 * time.Second

// say sends a message, with a file or without.
func (st *store) say(text string, f *os.File) error {
	var rights []byte
	if f != nil {
		rights = unix.UnixRights(int(f.Fd()))
	}
	_ = st.notify.SetWriteDeadline(time.Now().Add(sayPatience)) // it fails on a closed one alone
	raw, err := st.notify.SyscallConn()
	if err == nil {
		var sendErr error
		err = raw.Write(func(fd uintptr) bool {
			sendErr = unix.Sendmsg(int(fd), []byte(text), rights, nil, unix.MSG_NOSIGNAL)
			return !errors.Is(sendErr, unix.EAGAIN)
		})
		err = errors.Join(err, sendErr)
	}
	if err != nil {
		st.log.Warn("systemd does not take what it is to keep", "err", err)
	}
	return err
}

// storeRetry is how long is waited after a failure.
const storeRetry = time.Second

// run has systemd keep the connection of each node that is registered, and let go
// of the others, until the context ends. What it missed, it makes up for.
func (st *store) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := st.follow(ctx); err != nil {
			st.log.Debug("systemd may not keep every connection yet; it is tried again", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(storeRetry):
			}
		}
	}
}

var errMissed = errors.New("events were missed")

// follow makes what is kept what it should be, and goes on so from event to event.
func (st *store) follow(ctx context.Context) error {
	const buffer = 4096
	sub, now := st.server.View().Subscribe(buffer)
	defer sub.Close()
	if err := st.reconcile(now); err != nil {
		return err
	}
	last := now.Seq
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-sub.C:
			if e.Seq != last+1 {
				return fmt.Errorf("%w: %d", errMissed, e.Seq-last-1)
			}
			last = e.Seq
			if err := st.apply(e); err != nil {
				return err
			}
		}
	}
}

func (st *store) apply(e registry.Event) error {
	switch {
	case e.Kind == registry.Registered:
		st.names[e.Owner]++
		return st.keep(e.Owner)
	case e.Kind == registry.Unregistered && e.Reason != registry.ReasonShutdown:
		if st.names[e.Owner]--; st.names[e.Owner] > 0 {
			return nil
		}
		delete(st.names, e.Owner)
		return st.letGo(e.Owner)
	}
	return nil
}

// reconcile makes what is kept what it should be. A connection that is kept already
// may be sent again: systemd knows it.
func (st *store) reconcile(now registry.Snapshot) error {
	clear(st.names)
	for _, n := range now.Nodes {
		if len(n.Transports) == 0 {
			st.names[n.Owner]++
		}
		for _, t := range n.Transports {
			st.names[t.Owner]++
		}
	}
	for o := range st.kept {
		if st.names[o] == 0 {
			if err := st.letGo(o); err != nil {
				return err
			}
		}
	}
	owners := slices.Sorted(maps.Keys(st.names))
	// The daemon before this one may have kept others, where there is not room for all.
	for _, o := range owners[min(st.most, len(owners)):] {
		if !st.kept[o] {
			st.kept[o] = true
			st.bytes += len(connName(o)) + 1
		}
		if err := st.letGo(o); err != nil {
			return err
		}
	}
	for _, o := range owners {
		if err := st.keep(o); err != nil {
			return err
		}
	}
	return nil
}

func (st *store) keep(o registry.Owner) error {
	if st.kept[o] {
		return nil
	}
	name := connName(o)
	if len(st.kept) >= st.most || st.bytes+len(name)+1 > storeBytes {
		if !st.full {
			st.log.Warn("systemd keeps no more connections, by FileDescriptorStoreMax= of the unit, or since it could not start the next daemon with so many; further nodes are lost if this one dies", "kept", len(st.kept))
		}
		st.full = true
		return nil
	}
	f, err := st.server.File(o)
	if f == nil || err != nil {
		return err // or it is gone
	}
	defer func() { _ = f.Close() }() // systemd has it, or it is gone
	if err := st.say("FDSTORE=1\nFDNAME="+name, f); err != nil {
		return err
	}
	st.kept[o] = true
	st.bytes += len(name) + 1
	return nil
}

func (st *store) letGo(o registry.Owner) error {
	if !st.kept[o] {
		return nil
	}
	if err := st.say("FDSTOREREMOVE=1\nFDNAME="+connName(o), nil); err != nil {
		return err
	}
	delete(st.kept, o)
	st.bytes -= len(connName(o)) + 1
	st.full = false
	return nil
}

// monotonic is the time as systemd wants it for a reload.
func monotonic() string {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // every Linux has it
	return fmt.Sprintf("MONOTONIC_USEC=%d", ts.Nano()/1000)
}
