package host

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/machine"
	"github.com/goepmd/goepmd/internal/otptest"
)

// TestConformance holds the module, and the same code in this program, to the
// conformance suite.
func TestConformance(t *testing.T) {
	otptest.Heavy(t)
	scenarios, err := conformance.Scenarios()
	require.NoError(t, err)
	for name, begin := range map[string]machine.Start{"native": machine.Native, "wasm": start(t).Start} {
		r := conformance.Runner{Parallel: 4, Settle: -1}
		col, err := r.Run(t.Context(), NewTarget(name, begin), 0, scenarios)
		require.NoError(t, err)
		multi := 0
		for _, res := range col.Results {
			if res.Area == "multi" && res.Verdict == conformance.Passed {
				multi++
			}
			require.True(t, res.Verdict.Good(), "%s, %s: %s %+v", name, res.Scenario, res.Reason, res.Failure)
		}
		require.Greater(t, col.Count()[conformance.Passed], len(scenarios)/2)
		require.Greater(t, multi, 80, "with the extension")
	}
}

// TestLockstep has random conversations with the module and with the same code
// in this program.
func TestLockstep(t *testing.T) {
	const conversations = 2000
	m := start(t)
	steps := 0
	for seed := range conversations {
		script := randomScript(uint64(seed))
		n, err := Lockstep(script, machine.Native, m.Start)
		require.NoError(t, err, "seed %d", seed)
		steps += n
	}
	require.Greater(t, steps, 10*conversations)
	t.Logf("%d conversations of %d steps", conversations, steps)
}

// randomScript is a conversation of up to 800 bytes; most of them begin with
// options that are taken.
func randomScript(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, 5+r.IntN(794))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if seed%8 != 0 {
		b[2], b[4] = byte(r.IntN(4)), byte(r.IntN(5)) // packet timeout and time
	}
	return b
}

// TestDaemonsAreApart: what happens in one is not seen in another.
func TestDaemonsAreApart(t *testing.T) {
	m := start(t)
	var daemons []machine.Daemon
	for range 3 {
		d, err := m.Start(machine.Options{Now: now})
		require.NoError(t, err)
		daemons = append(daemons, d)
	}
	id, err := daemons[1].Open(true)
	require.NoError(t, err)
	res, err := daemons[1].Feed(id, []byte("\x00\x01k"))
	require.NoError(t, err)
	require.Equal(t, session.StopDaemon, res.Verdict)
	_, err = daemons[1].Open(true)
	require.ErrorIs(t, err, machine.ErrStopped)
	require.ErrorIs(t, err, StatusStopped)
	for _, i := range []int{0, 2} {
		s, err := daemons[i].State()
		require.NoError(t, err)
		require.False(t, s.Stopped)
		require.Empty(t, s.Conns)
		_, err = daemons[i].Open(true)
		require.NoError(t, err)
	}
	require.NoError(t, daemons[1].Close())
	require.ErrorIs(t, daemons[1].Close(), StatusDaemon)
	_, err = daemons[1].State()
	require.ErrorIs(t, err, StatusDaemon)
}

// TestConcurrentUse: calls of several goroutines wait for each other.
func TestConcurrentUse(t *testing.T) {
	m := start(t)
	ends := make(chan error)
	const users = 4
	for i := range users {
		go func() { ends <- use(m, uint64(i)) }()
	}
	for range users {
		require.NoError(t, <-ends)
	}
}

func use(m *Module, seed uint64) error {
	for i := range uint64(10) {
		if _, err := Lockstep(randomScript(1000*seed+i), machine.Native, m.Start); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

// TestLoadRefuses what is not such a module.
func TestLoadRefuses(t *testing.T) {
	const empty = "\x00asm\x01\x00\x00\x00"
	// A memory of a page, and epmd_abi_version that answers 2.
	const other = empty +
		"\x01\x05\x01\x60\x00\x01\x7f" +
		"\x03\x02\x01\x00" +
		"\x05\x03\x01\x00\x01" +
		"\x07\x1d\x02\x06memory\x02\x00\x10epmd_abi_version\x00\x00" +
		"\x0a\x06\x01\x04\x00\x41\x02\x0b"
	for want, code := range map[string]string{
		"invalid":              "no module",
		"does not export epmd": empty,
		"version 2":            other,
	} {
		_, err := Load(t.Context(), []byte(code))
		require.ErrorContains(t, err, want)
	}
}

// TestCrash: a module that is gone is an error, not a hang or a panic.
func TestCrash(t *testing.T) {
	m := start(t)
	d, err := m.Start(machine.Options{Now: now})
	require.NoError(t, err)
	id, err := d.Open(true)
	require.NoError(t, err)
	require.NoError(t, m.Close(context.Background()))
	_, err = d.Feed(id, []byte("\x00"))
	require.ErrorContains(t, err, "crashed")
	require.False(t, errors.Is(err, machine.ErrConn))
}

func BenchmarkFeed(b *testing.B) {
	m := start(b)
	d, err := m.Start(machine.Options{Now: now})
	require.NoError(b, err)
	for b.Loop() {
		id, err := d.Open(true)
		require.NoError(b, err)
		_, err = d.Feed(id, []byte("\x00\x01n"))
		require.NoError(b, err)
		require.NoError(b, d.End(id))
	}
}
