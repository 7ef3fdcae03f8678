package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// saved is a state with a registered and a remembered name, as a file.
func saved(final bool) []byte {
	entry := func(name string) registry.Entry {
		return registry.Entry{Node: wire.Node{Name: name, Port: 1}, Counter: 1000, Since: time.Unix(1000, 0)}
	}
	return state.Append(nil, state.State{Final: final, Names: registry.Snapshot{
		Nodes: []registry.Entry{entry("registered")}, Old: []registry.Entry{entry("old")},
	}})
}

// TestStateLoads: what is whole is loaded; what is damaged in any way is set aside, and
// is there to be looked at; a newer version is for somebody to decide on.
func TestStateLoads(t *testing.T) {
	now := time.Unix(2_000_000, 0)
	whole := saved(false)
	begin := func(t *testing.T, path string) (registry.Snapshot, string, error) {
		var log bytes.Buffer
		f := newStateFile(path, nil, slog.New(slog.NewTextHandler(&log, nil)))
		s, err := f.begin(t.Context(), now)
		f.use(nil) // as at the end of the process
		return s, log.String(), err
	}
	load := func(t *testing.T, b []byte) (registry.Snapshot, string, string, error) {
		path := filepath.Join(t.TempDir(), "state")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		s, log, err := begin(t, path)
		return s, path, log, err
	}
	s, _, log, err := load(t, whole)
	require.NoError(t, err)
	require.Empty(t, log)
	require.Len(t, s.Old, 2)
	require.Equal(t, "registered", s.Old[1].Node.Name)

	const mark = 6 // bytes, without which it is none of ours
	damaged := map[string][]byte{}
	for n := mark; n < len(whole); n += 7 {
		damaged["cut "+string(rune('0'+n))] = whole[:n]
	}
	for i := mark + 2; i < len(whole); i++ { // what comes after the version
		b := bytes.Clone(whole)
		b[i] ^= byte(1 << (i % 8))
		damaged["flipped "+string(rune('0'+i))] = b
	}
	for name, b := range damaged {
		s, path, log, err := load(t, b)
		require.NoError(t, err, name)
		require.Empty(t, s.Old, name)
		require.Greater(t, s.Floor, uint32(now.Unix()), "whoever comes may have been given anything until now")
		require.Contains(t, log, "the state is damaged and set aside", name)
		now, err := os.ReadFile(path)
		require.NoError(t, err, name)
		require.Empty(t, now, "it is claimed anew")
		aside, err := os.ReadFile(path + ".damaged-19700124T033320Z")
		require.NoError(t, err, name)
		require.Equal(t, b, append([]byte{}, aside...), name)
	}

	newer := bytes.Clone(whole)
	newer[7]++
	_, path, _, err := load(t, newer)
	require.ErrorIs(t, err, state.ErrVersion)
	require.ErrorContains(t, err, "name another file with -state")
	require.FileExists(t, path, "the newer program may want it")
	s, log, err = begin(t, filepath.Join(t.TempDir(), "none"))
	require.NoError(t, err)
	require.Empty(t, log)
	require.Empty(t, s.Old)
	require.EqualValues(t, now.Unix(), s.Floor, "so that a name which is forgotten gets no creation again")
	s, path, log, err = load(t, nil)
	require.NoError(t, err)
	require.Empty(t, log)
	require.Greater(t, s.Floor, uint32(now.Unix()), "an empty file may have told something once")
	siblings, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, siblings, 1, "it is written, and not set aside")

	// A file that was set aside before, in the same second, stays.
	dir := t.TempDir()
	path = filepath.Join(dir, "state")
	for i := range 3 {
		require.NoError(t, os.WriteFile(path, whole[:30+i], 0o600))
		_, _, err = begin(t, path)
		require.NoError(t, err)
	}
	for i, aside := range []string{"", "-2", "-3"} {
		b, err := os.ReadFile(path + ".damaged-19700124T033320Z" + aside)
		require.NoError(t, err)
		require.Equal(t, whole[:30+i], b)
	}
}

// TestStateSaves: it is written soon after a change, whole, and at the end.
func TestStateSaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	r := registry.New(registry.Config{})
	f := newStateFile(path, r.Snapshot, slog.New(slog.DiscardHandler))
	read := func() (state.State, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return state.State{}, err
		}
		return state.Decode(b)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		f.run(done)
	}()
	for _, name := range []string{"a", "b"} {
		_, err := r.Register(1, wire.Node{Name: name})
		require.NoError(t, err)
		f.OnEvent(registry.Event{Kind: registry.Registered, Node: wire.Node{Name: name, Highest: 6}}, registry.Inside{})
		require.Eventually(t, func() bool {
			s, err := read()
			return err == nil && !s.Final && len(s.Names.Nodes) == r.Len()
		}, patience, time.Millisecond)
	}
	close(done)
	<-ended
	require.NoError(t, f.save(true))
	s, err := read()
	require.NoError(t, err)
	require.True(t, s.Final)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoFileExists(t, path+".new")
}

// TestStateRests: a file that cannot be written costs a copy of the registry once a minute
// in the end, and is written once it can be.
func TestStateRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "none")
		var copies atomic.Int64
		f := newStateFile(filepath.Join(dir, "state"), func() registry.Snapshot { copies.Add(1); return registry.Snapshot{} }, slog.New(slog.DiscardHandler))
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			f.run(done)
		}()
		f.mark()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		// After 0, 2, 6, 14, 30, 62 and 122 seconds, and then each minute.
		require.EqualValues(t, 14, copies.Load())
		require.NoError(t, os.Mkdir(dir, 0o700))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.FileExists(t, f.path)
		f.mark()
		time.Sleep(saveEvery)
		f.mark()
		time.Sleep(saveEvery)
		synctest.Wait()
		require.EqualValues(t, 17, copies.Load())
		close(done)
		<-ended
	})
}

// TestStateOldNodes: a node that knows three creations alone gets another one than the last
// time, however often and whenever the daemon saves, fails to, ends suddenly, or is replaced.
func TestStateOldNodes(t *testing.T) {
	seed := uint64(property.Seed(t))
	rnd := rand.New(rand.NewPCG(seed, 1))
	now := time.Unix(2_000_000, 0)
	path := filepath.Join(t.TempDir(), "state")
	last := map[string]uint32{}
	highest := map[string]uint16{}
	var r *registry.Registry
	var f *stateFile
	begin := func() {
		if f != nil {
			f.use(nil) // as at the end of the process
		}
		f = newStateFile(path, nil, slog.New(slog.DiscardHandler))
		names, err := f.begin(t.Context(), now)
		require.NoError(t, err)
		r = registry.New(registry.Config{
			Now:     func() time.Time { return now },
			OnEvent: func(e registry.Event, in registry.Inside) { f.OnEvent(e, in) },
		})
		f.names = r.Snapshot
		require.NoError(t, r.Restore(names))
		require.NoError(t, f.save(false))
	}
	begin()
	for i := range 500 {
		switch rnd.IntN(12) {
		case 0:
			now = now.Add(time.Duration(rnd.IntN(3)) * time.Second)
		case 1:
			require.NoError(t, f.save(false))
		case 2: // a sudden end
			begin()
		case 3:
			require.NoError(t, f.save(true))
			begin()
		case 4: // names come while it is written
			names := f.names
			f.names = func() registry.Snapshot {
				s := names()
				_, err := r.Register(2, wire.Node{Name: "while", Highest: 5})
				require.NoError(t, err)
				return s
			}
			require.NoError(t, f.save(false))
			f.names = names
			last["while"] = r.Snapshot().Nodes[0].Creation
			r.Release(2, registry.ReasonClosed)
		default:
			name := []string{"a", "b", "c", "while", "d" + strconv.Itoa(i/20)}[rnd.IntN(5)]
			n := wire.Node{Name: name, Highest: uint16(5 + rnd.IntN(5)/4)}
			c, err := r.Register(1, n)
			require.NoError(t, err)
			if n.Highest == highest[name] || name == "while" && n.Highest == 5 {
				require.NotEqual(t, last[name], c, name)
			}
			last[name], highest[name] = c, n.Highest
			r.Release(1, registry.ReasonClosed)
		}
	}
}

// TestStateCannotBeAppended: where nothing can be written behind the state, it is said once,
// and the file stays whole.
func TestStateCannotBeAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	var log bytes.Buffer
	var f *stateFile
	r := registry.New(registry.Config{OnEvent: func(e registry.Event, in registry.Inside) { f.OnEvent(e, in) }})
	f = newStateFile(path, r.Snapshot, slog.New(slog.NewTextHandler(&log, nil)))
	register := func() {
		_, err := r.Register(1, wire.Node{Name: "a", Highest: 5})
		require.NoError(t, err)
		r.Release(1, registry.ReasonClosed)
	}
	register()
	register()
	require.Equal(t, 1, strings.Count(log.String(), "the state cannot be added to"), "there is none yet")
	require.NoError(t, f.save(false))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	claimed := f.file
	f.file, err = os.Open(path)
	require.NoError(t, err)
	register() // of which a part may have been written
	require.NoError(t, f.file.Close())
	f.file = claimed
	register()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, whole, b, "so nothing comes behind it")
	require.NoError(t, f.save(false))
	info, err := os.Stat(path)
	require.NoError(t, err)
	for range 40_000 {
		register()
	}
	require.Equal(t, 2, strings.Count(log.String(), "the state cannot be added to"))
	full, err := os.Stat(path)
	require.NoError(t, err)
	require.InDelta(t, mostAppended, full.Size()-info.Size(), 100)
	b, err = os.ReadFile(path)
	require.NoError(t, err)
	s, err := state.DecodeGiven(b)
	require.NoError(t, err)
	require.Greater(t, s.Names.Old[0].Counter, r.Snapshot().Old[0].Counter-40_000)
	require.NoError(t, f.save(false))
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1000))
}

// TestStateNotBegun: nothing is written behind what is no state yet, which would make none of
// it.
func TestStateNotBegun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	for range 2 { // that makes the file, and that finds it empty
		f := newStateFile(path, nil, slog.New(slog.DiscardHandler))
		_, err := f.begin(t.Context(), time.Now())
		require.NoError(t, err)
		f.append(state.AppendGiven(nil, registry.Entry{Node: wire.Node{Name: "old"}}))
		f.use(nil) // as at the end of the process
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Size())
}

// TestStateMoved: what comes into the place of the file while the next one is written stays
// there.
func TestStateMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	f := newStateFile(path, nil, slog.New(slog.DiscardHandler))
	_, err := f.begin(t.Context(), time.Now())
	require.NoError(t, err)
	next, err := makeNext(f.at)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	require.ErrorIs(t, f.replace(next, nil), errMoved)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "precious", string(b))
	require.False(t, exists(next.Name()))
}

// TestStateIsTaken: a file that is replaced all the time can be claimed by nobody else at any
// moment.
func TestStateIsTaken(t *testing.T) {
	if !locks {
		t.Skip("SKIPPED: files cannot be locked on this system; run it on Linux")
	}
	path := filepath.Join(t.TempDir(), "state")
	nobody := func() registry.Snapshot { return registry.Snapshot{} }
	f := newStateFile(path, nobody, slog.New(slog.DiscardHandler))
	_, err := f.begin(t.Context(), time.Now())
	require.NoError(t, err)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		other := newStateFile(path, nobody, slog.New(slog.DiscardHandler))
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, err := other.claim(); !errors.Is(err, errTaken) && !errors.Is(err, errMoved) {
				t.Errorf("it could be claimed: %v", err)
				return
			}
		}
	}()
	for range 300 {
		require.NoError(t, f.save(false))
	}
	close(done)
	<-ended
}

// TestStateHangs: a file system that hangs costs one registration a moment, and an upgrade
// its time; neither waits for the other.
func TestStateHangs(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	var log bytes.Buffer
	f := newStateFile("state", nil, slog.New(slog.NewTextHandler(&log, nil)))
	f.file = w // which nobody reads
	record := make([]byte, 1<<16)
	f.append(record)
	require.Empty(t, log.String())
	f.append(record)
	require.Equal(t, 1, strings.Count(log.String(), "the file system hangs"))
	begun := time.Now()
	for range 100 {
		f.append(record)
	}
	require.Less(t, time.Since(begun), appendPatience, "nobody waits behind it")
	_, err = io.ReadFull(r, make([]byte, 2<<16))
	require.NoError(t, err)
	f.appending <- struct{}{} // it has been written
	<-f.appending
	f.append([]byte("x"))
	require.False(t, f.failing)
	require.Equal(t, 1, strings.Count(log.String(), "\n"))

	release, err := f.hold(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*holdRetry)
	defer cancel()
	_, err = f.hold(ctx)
	require.ErrorContains(t, err, "is being written, and that does not end")
	release()
	release, err = f.hold(t.Context())
	require.NoError(t, err)
	release()
	require.NoError(t, r.Close())
	require.NoError(t, w.Close())
}
