package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// stateFile keeps the names and their creations in a file, so that they survive the
// daemon. It is written whole and anew, next to itself, and takes its place then. A
// nil stateFile keeps nothing.
type stateFile struct {
	path  string
	log   *slog.Logger
	names func() registry.Snapshot
	dirty chan struct{} // something has changed

	mu sync.Mutex // held while it is written, and while the daemon is handed over

	end      sync.Mutex // of the file: held while something is appended, or it is replaced
	saving   bool       // what is appended belongs behind the next state too
	since    []byte     // was appended while saving
	appended int        // bytes behind the state
	failing  bool       // nothing can be appended
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

// loadState reads what the daemon before left. What is damaged is set aside, and
// the daemon begins as if nothing had been left; what a newer program wrote, or what may
// not be read, is for somebody to decide on.
func loadState(path string, now time.Time, log *slog.Logger) (registry.Snapshot, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state.Revive(state.State{Final: true}, now), nil // nothing was given before
	}
	if err != nil {
		return registry.Snapshot{}, fmt.Errorf("cannot read the state: correct -state, or the rights of the file: %w", err)
	}
	s, err := state.DecodeGiven(b)
	if err == nil {
		names := state.Revive(s, now)
		if err = registry.New(registry.Config{}).Restore(names); err == nil {
			return names, nil
		}
	}
	if errors.Is(err, state.ErrVersion) {
		return registry.Snapshot{}, fmt.Errorf("%s: %w; or name another file with -state", path, err)
	}
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405Z")
	if renameErr := os.Rename(path, aside); renameErr != nil {
		err = errors.Join(err, renameErr)
	}
	log.Warn("the state is damaged and set aside; names get creations of the time", "file", path, "aside", aside, "err", err)
	// Whoever is not known may have been given anything up to now.
	return state.Revive(state.State{}, now), nil
}

func newStateFile(path string, names func() registry.Snapshot, log *slog.Logger) *stateFile {
	return &stateFile{path: path, log: log, names: names, dirty: make(chan struct{}, 1)}
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

// append appends a record to the file, without waiting for the disk.
func (f *stateFile) append(b []byte) {
	f.end.Lock()
	defer f.end.Unlock()
	if f.saving {
		f.since = append(f.since, b...)
	}
	err := errFull
	if f.appended+len(b) <= mostAppended {
		err = appendTo(f.path, b)
		f.appended += len(b)
	}
	if err != nil { // what follows a part of a record would not be read
		f.appended = mostAppended
	}
	if err != nil && !f.failing {
		f.log.Warn("the state cannot be added to; a node from before OTP 23 that comes back after a sudden end may get its creation again", "file", f.path, "err", err)
	}
	f.failing = err != nil
}

var errFull = errors.New("it has not been written anew for long")

func appendTo(path string, b []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	return errors.Join(err, file.Close())
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
func (f *stateFile) write(b []byte) (err error) {
	next := f.path + ".new"
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err == nil {
		err = file.Sync()
	}
	if err := f.replace(next, file, err); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

// replace closes the next file, which was written without an error or with one, and has it
// take the place of the one before.
func (f *stateFile) replace(path string, next *os.File, err error) error {
	f.end.Lock()
	defer f.end.Unlock()
	if err == nil {
		_, err = next.Write(f.since)
	}
	if err = errors.Join(err, next.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // it may take up what is short
	}
	if err := os.Rename(path, f.path); err != nil {
		return err
	}
	f.saving, f.appended = false, len(f.since)
	return nil
}

// hold keeps the file as it is until release is called: somebody else may be about to
// write it.
func (f *stateFile) hold() (release func()) {
	if f == nil {
		return func() {}
	}
	f.mu.Lock()
	return f.mu.Unlock
}
