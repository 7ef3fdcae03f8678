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
}

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
	s, err := state.Decode(b)
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

// OnEvent notes that the file has to be written.
func (f *stateFile) OnEvent(e registry.Event, _ registry.Inside) {
	if e.Kind != registry.Refused {
		f.mark()
	}
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
	err := f.write(state.Append(nil, state.State{Saved: time.Now(), Final: final, Names: f.names()}))
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
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(next)) // it may take up what is short
	}
	if err := os.Rename(next, f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
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
