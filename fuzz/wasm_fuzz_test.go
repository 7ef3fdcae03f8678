package fuzz

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/machine"
	"github.com/goepmd/goepmd/fuzz/wasm/host"
)

// FuzzWASM has the conversation that the input is with the daemon that is
// compiled to WebAssembly and with the same code in this program: every answer
// and the whole state after it must be equal.
func FuzzWASM(f *testing.F) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	code, err := host.Build(ctx)
	require.NoError(f, err)
	m, err := host.Load(ctx, code)
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, m.Close(context.Background())) })

	for _, seed := range wasmSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, conversation []byte) {
		_, err := host.Lockstep(conversation, machine.Native, m.Start)
		require.NoError(t, err)
	})
}

// wasmSeeds are conversations as host.Lockstep reads them: five bytes of
// options, then steps, each with its arguments.
func wasmSeeds() [][]byte {
	const (
		open, request, feed, end, advance = 0, 1, 5, 6, 7
		alive2, lookup, names             = 0, 32, 33
		stop, kill                        = 56, 62
		local, foo, port, highest, extra  = 0, 0, 0, 0, 0
		noTail, noLie, whole, cutBehind   = 0, 0, 0, 3
		alive3, lookup3, stop3, kill3     = 64, 112, 136, 142
		more, tcp, tls                    = 4, 0, 1
		seconds30                         = 3
	)
	options := []byte{0, 0, 0, 0, 0}
	relaxed := []byte{1, 0, 0, 0, 0}
	several := []byte{5, 0, 0, 0, 0} // with the extension, and relaxed
	register := func(cut byte) []byte {
		return []byte{request, local, alive2, foo, port, highest, extra, noTail, noLie, cut}
	}
	return [][]byte{
		{},
		options,
		// A node registers, another is refused, a third looks it up and a
		// fourth lists; then the node goes and comes again.
		slices.Concat(options, register(whole), register(cutBehind),
			[]byte{request, local, lookup, foo, noTail, noLie, whole},
			[]byte{request, local, names, noTail, noLie, whole},
			[]byte{end, 1}, register(whole)),
		// STOP_REQ closes the connection of another, KILL_REQ all.
		slices.Concat(relaxed, register(whole),
			[]byte{request, local, stop, foo, noTail, noLie, whole},
			[]byte{request, local, kill, noTail, noLie, whole}),
		// Half a request, and time passes.
		slices.Concat(options, []byte{open, local, feed, 1, 3, 0, 9, 'z', advance, seconds30, advance, seconds30}),
		// Two transports on one connection, of which the second comes in two
		// segments, and a lookup of one; then both end with the name.
		slices.Concat(several,
			[]byte{request, local, alive3, foo, tcp, port, highest, extra, noTail, noLie, whole},
			[]byte{more, 1, alive3, foo, tls, port, highest, extra, noTail, noLie, cutBehind},
			[]byte{request, local, lookup3, 1, tls, 0, 0, foo, noTail, noLie, whole},
			[]byte{request, local, stop3, foo, noTail, noLie, whole},
			[]byte{request, local, kill3, noTail, noLie, whole}),
	}
}

// TestWASMSeeds: the seeds are the conversations that they are meant to be.
func TestWASMSeeds(t *testing.T) {
	want := [][]string{
		nil,
		nil,
		{"ALIVE2_REQ", "ALIVE2_REQ", "PORT_PLEASE2_REQ", "NAMES_REQ", "ALIVE2_REQ"},
		{"ALIVE2_REQ", "STOP_REQ", "evicted 1", "KILL_REQ"},
		{"late 1"},
		{"ALIVE3_REQ", "ALIVE3_REQ", "PORT_PLEASE3_REQ", "STOP3_REQ", "evicted 1", "KILL3_REQ"},
	}
	seeds := wasmSeeds()
	require.Len(t, seeds, len(want))
	for i, seed := range seeds {
		var w watched
		_, err := host.Lockstep(seed, machine.Native, w.start)
		require.NoError(t, err)
		require.Equal(t, want[i], w.seen, "seed %d", i)
	}
}

// watched is a daemon that remembers what happened.
type watched struct {
	machine.Daemon
	seen []string
}

func (w *watched) start(o machine.Options) (d machine.Daemon, err error) {
	w.Daemon, err = machine.Native(o)
	return w, err
}

func (w *watched) Feed(c machine.ConnID, b []byte) (machine.Result, error) {
	res, err := w.Daemon.Feed(c, b)
	if res.Tag != 0 {
		w.seen = append(w.seen, res.Tag.String())
	}
	for _, c := range res.Evicted {
		w.seen = append(w.seen, fmt.Sprintf("evicted %d", c))
	}
	return res, err
}

func (w *watched) Advance(ms int64) ([]machine.ConnID, error) {
	late, err := w.Daemon.Advance(ms)
	for _, c := range late {
		w.seen = append(w.seen, fmt.Sprintf("late %d", c))
	}
	return late, err
}
