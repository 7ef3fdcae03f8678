package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goepmd/goepmd/registry/state"
)

// A daemon claims its state file: it opens it, makes an empty one if there is none, and
// locks it. A lock is one on the file, not on its name: when a daemon replaces the file, it
// has locked the next one before.

// stateEnv tells a daemon by which descriptor it goes on with the state file that the daemon
// before has claimed.
const stateEnv = "GOEPMD_STATE_FD"

var (
	errTaken   = errors.New("another daemon keeps its state there: name another file with -state, or end that daemon")
	errNotMade = errors.New("the state file cannot be made")
	errMoved   = errors.New("another file has taken its place")
)

// claim makes sure that the file at the path is this daemon's, and says whether it has made
// one. Its error is errTaken if another daemon has it, errNotMade if there is none and
// none can be made.
func (f *stateFile) claim() (made bool, err error) {
	const tries = 10 // each fails if a file comes, or is replaced, in the same moment
	for range tries {
		if f.at, err = target(f.path); err != nil {
			return false, unreadable(err)
		}
		file, err := openOurs(f.path)
		if made = errors.Is(err, fs.ErrNotExist); made {
			file, err = create(f.at)
			switch {
			case errors.Is(err, fs.ErrExist):
				continue
			case err != nil:
				return false, fmt.Errorf("%w: %w", errNotMade, err)
			}
		}
		if err != nil {
			return false, err
		}
		if f.file != nil && same(f.file, file) {
			return false, file.Close()
		}
		if err := f.lock(file); err != nil {
			return false, errors.Join(fmt.Errorf("%s: %w", f.at, err), file.Close())
		}
		if isAt(f.at, file) {
			f.end.Lock()
			defer f.end.Unlock()
			f.use(file)
			return made, nil
		}
		_ = file.Close() // it has been replaced by one who had locked it
	}
	return false, fmt.Errorf("%s: %w", f.at, errMoved)
}

// use goes on with a file, of which nobody knows yet that a state is in it.
func (f *stateFile) use(file *os.File) {
	if f.file != nil {
		_ = f.file.Close() // nothing is lost in it
	}
	f.file, f.appended = file, mostAppended
}

// lock locks a file for this daemon and its successors. Where that is not possible, it says
// so once, and no daemon is told of another.
func (f *stateFile) lock(file *os.File) error {
	err := lockFile(file)
	if err == nil || errors.Is(err, errTaken) {
		return err
	}
	if !f.unlocked {
		f.log.Warn("the state cannot be locked: see to it that no other daemon is given the same file", "file", f.at, "err", err)
	}
	f.unlocked = true
	return nil
}

// rename has the next file take the place of the claimed one.
func (f *stateFile) rename(next *os.File) error {
	if locks {
		if err := os.Rename(next.Name(), f.at); err != nil {
			return err
		}
		f.use(next)
		return nil
	}
	// An open file may be one that cannot be renamed.
	f.use(nil)
	if err := next.Close(); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), f.at); err != nil {
		return err
	}
	file, err := openOurs(f.at)
	if err == nil {
		f.use(file)
	}
	return err
}

// openOurs opens the file at a path, if a state may be written there: it is empty, or one of
// ours. It is looked at before it is opened: a FIFO would hold this up, and a device
// may do something. The error is fs.ErrNotExist if there is none.
func openOurs(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && os.IsPathSeparator(path[len(path)-1]):
		return nil, foreign(path, "is a folder")
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, unreadable(err)
	case !info.Mode().IsRegular():
		return nil, foreign(path, "is "+kindOf(info.Mode()))
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|openFlags, 0)
	if err != nil { // the next one may be put in its place nevertheless
		file, err = os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if err := checkOurs(path, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// checkOurs says whether an open file is one of ours, or empty.
func checkOurs(path string, file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return unreadable(err)
	case !info.Mode().IsRegular(): // it has just come there
		return foreign(path, "is "+kindOf(info.Mode()))
	case info.Size() == 0:
		return nil
	}
	ours, err := state.Begins(file)
	switch {
	case errors.Is(err, state.ErrVersion):
		return fmt.Errorf("%s: %w; or name another file with -state", path, err)
	case err != nil:
		return unreadable(err)
	case !ours:
		return foreign(path, "is no state of an epmd")
	}
	return nil
}

func unreadable(err error) error {
	return fmt.Errorf("cannot read the state: correct -state, or the rights of the file: %w", err)
}

func foreign(path, what string) error {
	return fmt.Errorf("%s %s, and is left as it is: name another file with -state", path, what)
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

// target is where the links at the end of a path lead, be there a file or none: what they
// lead to is written, not they.
func target(path string) (string, error) {
	const most = 40 // as many as Linux follows
	for range most {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil //nolint:nilerr // it is no link; what else there is to say, who opens it says
		}
		if !filepath.IsAbs(to) {
			to = folderOf(path) + string(filepath.Separator) + to
		}
		path = to
	}
	return "", fmt.Errorf("%s: too many links", path)
}

// folderOf is the folder of a file. Unlike filepath.Dir it leaves .. behind a link as it is.
func folderOf(path string) string {
	dir, _ := filepath.Split(path)
	if dir == "" {
		return "."
	}
	return dir
}

// create makes an empty file where there is none.
func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
}

// makeNext makes the file that is to take the place of another. It removes what a daemon that
// died has left of one; a file of somebody else is left alone, and another name is taken.
func makeNext(at string) (*os.File, error) {
	path := at + ".new"
	next, err := create(path)
	if !errors.Is(err, fs.ErrExist) {
		return next, err
	}
	if !isLeft(path) {
		return os.CreateTemp(folderOf(path), filepath.Base(path)+"-*")
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	return create(path)
}

// isLeft says whether a file is one of ours that no daemon uses.
func isLeft(path string) bool {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := openOurs(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // nothing was written
	return !errors.Is(lockFile(file), errTaken)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// isAt says whether a file is the one at a path.
func isAt(path string, file *os.File) bool {
	a, errA := os.Lstat(path)
	b, errB := file.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func same(one, other *os.File) bool {
	a, errA := one.Stat()
	b, errB := other.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// readAll reads a file from its beginning.
func readAll(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(file, 0, info.Size()))
}
