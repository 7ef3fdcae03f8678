package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// stateFile keeps the names and their creations in a file, so that they survive the
// daemon. It is written whole and anew, next to itself, and takes its place then. A
// nil stateFile keeps nothing.
type stateFile struct {
	path  string // which may be that of a link
	log   *slog.Logger
	names func() registry.Snapshot
	dirty chan struct{} // something has changed

	mu       sync.Mutex // held while it is written, and while the daemon is handed over
	at       string     // where the file is
	unlocked bool       // it was said that it cannot be locked

	end      sync.Mutex // of the file: held while something is appended, or it is replaced
	file     *os.File   // claimed; nil if none is. It changes while mu is held too
	saving   bool       // what is appended belongs behind the next state too
	since    []byte     // was appended while saving
	appended int        // bytes behind the state; mostAppended if there is no state in the file yet

	appending chan struct{} // has an element while something is appended
	failing   bool          // nothing can be appended
}

// mostAppended is how many bytes are appended at most behind a state that cannot be
// replaced.
const mostAppended = 1 << 20

// saveEvery is how often the file is written at most. While it cannot be, each try comes
// after twice the time of the one before, up to saveRarely.
const (
	saveEvery  = time.Second
	saveRarely = time.Minute
)

// claimPatience is how long a daemon that starts waits for the file of another: one that ends
// has it for longer than its port, until it has answered what is under way and has saved.
// claimRetry is the pause between tries.
const (
	claimPatience = epmd.ShutdownGrace + time.Second
	claimRetry    = 20 * time.Millisecond
)

// check says whether the state may be kept at the path, and changes nothing. Another daemon
// may have it.
func (f *stateFile) check() error {
	if f == nil {
		return nil
	}
	file, err := openOurs(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return file.Close()
}

// begin claims the file, and gives the names that the daemon before left there. A damaged file
// is set aside, and the daemon begins as if nothing had been left; a file that is not ours, that
// a newer program wrote, or that may not be read, is for somebody to decide on.
func (f *stateFile) begin(ctx context.Context, now time.Time) (registry.Snapshot, error) {
	made, err := f.claimPatiently(ctx)
	switch {
	case made || errors.Is(err, errNotMade):
		return state.Revive(state.State{Final: true}, now), nil // nothing was given before
	case err != nil:
		return registry.Snapshot{}, err
	}
	b, err := readAll(f.file)
	switch {
	case err != nil:
		return registry.Snapshot{}, unreadable(err)
	case len(b) == 0: // what it told, if it ever did, is not known
		return state.Revive(state.State{}, now), nil
	}
	s, err := state.DecodeGiven(b)
	if err == nil {
		names := state.Revive(s, now)
		if err = registry.New(registry.Config{}).Restore(names); err == nil {
			f.appended = 0
			return names, nil
		}
	}
	if err := f.setAside(now, err); err != nil {
		return registry.Snapshot{}, err
	}
	// Whoever is not known may have been given anything up to now.
	return state.Revive(state.State{}, now), nil
}

func (f *stateFile) claimPatiently(ctx context.Context) (made bool, err error) {
	patience := time.NewTimer(claimPatience)
	defer patience.Stop()
	for {
		if made, err = f.claim(); !errors.Is(err, errTaken) {
			return made, err
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-patience.C:
			return false, err
		case <-time.After(claimRetry):
		}
	}
}

// setAside gives a damaged file another name, and claims one in its place. Where that cannot
// be, the daemon starts nevertheless, unless another has claimed it meanwhile.
func (f *stateFile) setAside(now time.Time, why error) error {
	aside := f.at + ".damaged-" + now.UTC().Format("20060102T150405Z")
	for n := 2; exists(aside); n++ {
		aside = fmt.Sprintf("%s.damaged-%s-%d", f.at, now.UTC().Format("20060102T150405Z"), n)
	}
	err := os.Rename(f.at, aside)
	f.log.Warn("the state is damaged and set aside; names get creations of the time", "file", f.at, "aside", aside, "err", errors.Join(why, err))
	if err != nil {
		return nil //nolint:nilerr // it has been said
	}
	if _, err := f.claim(); errors.Is(err, errTaken) {
		return err
	}
	return nil // what else is wrong, who saves says
}

// resume goes on with the file that the daemon before this one had claimed. A fault of the file
// is told when it is saved: it ends no registration.
func (f *stateFile) resume() {
	if f == nil {
		return
	}
	if fd, ok := inherited(stateEnv); ok {
		f.use(os.NewFile(uintptr(fd), f.path))
	}
	if _, err := f.claim(); err != nil {
		return
	}
	if b, err := readAll(f.file); err == nil && len(b) > 0 {
		f.appended = 0
	}
}

func newStateFile(path string, names func() registry.Snapshot, log *slog.Logger) *stateFile {
	return &stateFile{path: path, log: log, names: names, dirty: make(chan struct{}, 1), appending: make(chan struct{}, 1)}
}

// OnEvent notes that the file has to be written. What a node with one of three creations was
// given is in the file before the node is told, since the next daemon cannot be sure to give
// another one otherwise.
func (f *stateFile) OnEvent(e registry.Event, in registry.Inside) {
	if e.Kind == registry.Refused {
		return
	}
	if e.Kind == registry.Registered && e.Node.Highest < wire.Highest32BitCreation {
		if entry, ok := in.Entry(e.Node.Name); ok {
			f.append(state.AppendGiven(nil, entry))
		}
	}
	f.mark()
}

// appendPatience is how long a node waits for a file system that hangs. Nodes that come while
// it hangs do not wait.
const appendPatience = time.Second

var (
	errFull = errors.New("it could not be saved for long, or not yet")
	errSlow = errors.New("the file system hangs")
)

// append appends a record to the file, without waiting for the disk.
func (f *stateFile) append(b []byte) {
	err := errSlow
	select {
	case f.appending <- struct{}{}:
		done := make(chan error, 1)
		go func() {
			err := f.appendNow(b)
			<-f.appending
			done <- err
		}()
		late := time.NewTimer(appendPatience)
		defer late.Stop()
		select {
		case err = <-done:
		case <-late.C:
		}
	default: // the one before hangs
	}
	if err != nil && !f.failing {
		f.log.Warn("the state cannot be added to; a node from before OTP 23 that comes back after a sudden end may get its creation again", "file", f.path, "err", err)
	}
	f.failing = err != nil
}

func (f *stateFile) appendNow(b []byte) error {
	f.end.Lock()
	defer f.end.Unlock()
	if f.saving {
		f.since = append(f.since, b...)
	}
	if f.file == nil || f.appended+len(b) > mostAppended {
		f.appended = mostAppended
		return errFull
	}
	_, err := f.file.Write(b)
	f.appended += len(b)
	if err != nil { // what follows a part of a record would not be read
		f.appended = mostAppended
	}
	return err
}

func (f *stateFile) mark() {
	select {
	case f.dirty <- struct{}{}:
	default:
	}
}

// run writes the file after changes, until done is closed.
func (f *stateFile) run(done <-chan struct{}) {
	next := time.NewTimer(0)
	defer next.Stop()
	pause := saveEvery
	for {
		select {
		case <-done:
			return
		case <-f.dirty:
		}
		select {
		case <-done:
			return
		case <-next.C:
		}
		if err := f.save(false); err != nil {
			f.mark() // again, in a while
			pause = min(2*pause, saveRarely)
		} else {
			pause = saveEvery
		}
		next.Reset(pause)
	}
}

// save writes the file; final if nothing changes any more. That it cannot, it says
// in the log: the daemon goes on.
func (f *stateFile) save(final bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end.Lock()
	f.saving = true // before the names are looked at, so that nothing is missed
	f.end.Unlock()
	err := f.write(state.Append(nil, state.State{Saved: time.Now(), Final: final, Names: f.names()}))
	f.end.Lock()
	f.saving, f.since = false, nil
	f.end.Unlock()
	if err != nil {
		f.log.Warn("the state cannot be saved; a node that comes back after a sudden end may get a creation again", "file", f.path, "err", err)
	}
	return err
}

// write puts the file into place, whole.
func (f *stateFile) write(b []byte) error {
	if _, err := f.claim(); err != nil {
		return err
	}
	next, err := makeNext(f.at)
	if err != nil {
		return err
	}
	_, err = next.Write(b)
	if err == nil {
		err = next.Sync()
	}
	if err := f.replace(next, err); err != nil {
		return err
	}
	return syncDir(folderOf(f.at))
}

// replace has the next file, which was written without an error or with one, take the place
// of the one before. No other daemon can claim either while that happens.
func (f *stateFile) replace(next *os.File, err error) error {
	f.end.Lock()
	defer f.end.Unlock()
	if err == nil {
		_, err = next.Write(f.since)
	}
	if err == nil {
		err = f.lock(next)
	}
	if err == nil && !isAt(f.at, f.file) {
		err = errMoved
	}
	if err == nil {
		err = f.rename(next)
	}
	if err != nil {
		_ = next.Close()                                // it is of no use
		return errors.Join(err, os.Remove(next.Name())) // it may take up what is short
	}
	f.saving, f.appended = false, len(f.since)
	return nil
}

// hold keeps the file as it is until release is called: somebody else may be about to
// write it. It fails if the file is being written until the context ends.
func (f *stateFile) hold(ctx context.Context) (release func(), err error) {
	if f == nil {
		return func() {}, nil
	}
	for !f.mu.TryLock() {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is being written, and that does not end: look at its file system", f.path)
		case <-time.After(holdRetry):
		}
	}
	return f.mu.Unlock, nil
}

// holdRetry is the pause between tries to hold a file that is being written.
const holdRetry = 5 * time.Millisecond

// inheritable is the claimed file, with its lock, for a successor; nil if there is none. The
// file must be held.
func (f *stateFile) inheritable() *os.File {
	if f == nil {
		return nil
	}
	return f.file
}
