package nodes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// played plays a scenario that needs no container.
func played(ctx context.Context, what func(*trial)) conformance.Result {
	st := newStage(&run{suite: new(Suite), hall: &hall{images: map[string]string{"23": "x:y"}}})
	return play(ctx, st, scenario{name: "nodes-x", images: []string{"23"}, run: what})
}

func TestVerdicts(t *testing.T) {
	for what, c := range map[string]struct {
		run     func(*trial)
		verdict conformance.Verdict
		says    string
	}{
		"nothing wrong":   {func(t *trial) { t.equal(1, "1", "one") }, conformance.Passed, ""},
		"a note":          {func(t *trial) { t.note = "but" }, conformance.Passed, "but"},
		"a difference":    {func(t *trial) { t.equal(1, 2, "the %s", "sum") }, conformance.Failed, "the sum: want 1, got 2"},
		"an error":        {func(t *trial) { t.must(errors.New("odd")) }, conformance.Failed, "odd"},
		"no container":    {func(t *trial) { t.must(fmt.Errorf("%w: gone", errHall)) }, conformance.Broken, "containers: gone"},
		"not to be asked": {func(t *trial) { t.skip("why %s", "not") }, conformance.Skipped, "why not"},
		"never":           {func(t *trial) { t.until(time.Nanosecond, "it is", func() string { return "it is not" }) }, conformance.Failed, "it is: not within 1ns: it is not"},
	} {
		r := played(t.Context(), func(t *trial) {
			t.step("look", "seen")
			c.run(t)
			t.quiet = true
			t.step("not to be seen", "")
		})
		require.Equal(t, c.verdict, r.Verdict, what)
		require.Equal(t, "nodes-x", r.Scenario)
		require.Equal(t, Area, r.Area)
		require.Equal(t, "look", r.Trace[0].Text, what)
		require.Len(t, r.Trace, 1, what)
		if c.verdict == conformance.Failed {
			require.Equal(t, c.says, r.Failure.What, what)
			require.Equal(t, 1, r.Failure.Step, what)
			require.Empty(t, r.Reason, what)
			continue
		}
		require.Nil(t, r.Failure, what)
		require.Equal(t, c.says, r.Reason, what)
	}
}

// TestUntil: what is looked at again and again leaves one step.
func TestUntil(t *testing.T) {
	looks := 0
	r := played(t.Context(), func(t *trial) {
		t.until(patience, "it is so", func() string {
			t.step("look", "")
			if looks++; looks < 3 {
				return "it is not"
			}
			return ""
		})
	})
	require.Equal(t, conformance.Passed, r.Verdict)
	require.Equal(t, 3, looks)
	require.Len(t, r.Trace, 1)
	require.Equal(t, "wait until it is so", r.Trace[0].Text)
}

// TestStopped: a run that is stopped tells nothing of the daemon.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := played(ctx, func(t *trial) {
		cancel()
		t.until(patience, "it is so", func() string { return "it is not" })
	})
	require.Equal(t, conformance.Broken, r.Verdict)
	require.Contains(t, r.Reason, "stopped")
}

// TestNoImage: what needs an image that is not there is skipped, and says how to get it.
func TestNoImage(t *testing.T) {
	st := newStage(&run{suite: new(Suite), hall: new(hall)})
	r := play(t.Context(), st, scenario{name: "nodes-x", images: []string{"29"}, run: func(*trial) { panic("played") }})
	require.Equal(t, conformance.Skipped, r.Verdict)
	require.Contains(t, r.Reason, "docker/otp-images")
}

// TestNoExtension: what needs the multi-transport extension is skipped without it.
func TestNoExtension(t *testing.T) {
	st := newStage(&run{suite: new(Suite), hall: new(hall)})
	r := play(t.Context(), st, scenario{name: "nodes-x", several: true, run: func(*trial) { panic("played") }})
	require.Equal(t, conformance.Skipped, r.Verdict)
	require.Contains(t, r.Reason, "Suite.MultiTransport")
}

func TestModuleSources(t *testing.T) {
	files, err := moduleSources(fstest.MapFS{
		"a.erl": {Data: []byte("-module(a).")}, "goepmd.app.src": {Data: []byte("{}.")}, "other.txt": {},
	})
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{
		"goepmd/module/a.erl": []byte("-module(a)."), "goepmd/module/goepmd.app.src": []byte("{}."),
	}, files)
	_, err = moduleSources(fstest.MapFS{"goepmd.app.src": {}})
	require.ErrorContains(t, err, "no *.erl")
	_, err = moduleSources(fstest.MapFS{"a.erl": {}})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestNoDaemon: a daemon that does not start fails the scenario.
func TestNoDaemon(t *testing.T) {
	st := newStage(&run{
		hall:  &hall{images: map[string]string{"23": "x:y"}},
		suite: &Suite{Start: func(context.Context, uint16) (Daemon, error) { return nil, errors.New("no luck") }},
	})
	for range 2 { // also the second time
		r := play(t.Context(), st, scenario{name: "nodes-x", images: []string{"23"}, run: func(t *trial) { t.node(short(23)) }})
		require.Equal(t, conformance.Failed, r.Verdict)
		require.Contains(t, r.Failure.What, "no luck")
	}
	st.close()
}

func TestOnly(t *testing.T) {
	g := plainGroup()
	all := g.only(func(string) bool { return true })
	require.Len(t, all.scenarios(), len(g.scenarios()))
	require.NotEmpty(t, all.warm)
	one := g.only(func(name string) bool { return name == "nodes-crash-27" })
	require.Len(t, one.scenarios(), 1)
	require.Empty(t, one.warm)
}

func TestTail(t *testing.T) {
	require.Equal(t, "    a\n    b", tail("a\nb\n"))
	long := ""
	for i := range 100 {
		long += fmt.Sprintln(i)
	}
	require.Equal(t, "    ...\n    85", tail(long)[:14])
}
