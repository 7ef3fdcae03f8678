package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestOutcome has every kind of request meet each of its outcomes.
func TestOutcome(t *testing.T) {
	far := peer{"192.0.2.2", "192.0.2.1"}
	for name, tt := range map[string]struct {
		from    peer
		relaxed bool
		sends   []byte
		want    session.Outcome
	}{
		"registered":           {loopback, false, register("new"), session.Answered},
		"registered already":   {loopback, false, register("foo"), session.Refused},
		"registers from afar":  {far, false, register("new"), session.Denied},
		"registers wrongly":    {loopback, false, body(wire.TagAlive2Req, ""), session.Faulty},
		"found":                {far, false, body(wire.TagPortPlease2Req, "foo"), session.Answered},
		"not found":            {far, false, body(wire.TagPortPlease2Req, "bar"), session.NotFound},
		"listed":               {far, false, body(wire.TagNamesReq, ""), session.Answered},
		"dumped":               {loopback, false, body(wire.TagDumpReq, ""), session.Answered},
		"dumped from afar":     {far, false, body(wire.TagDumpReq, ""), session.Denied},
		"killed":               {loopback, true, body(wire.TagKillReq, ""), session.Answered},
		"killed with nodes":    {loopback, false, body(wire.TagKillReq, ""), session.Refused},
		"killed from afar":     {far, true, body(wire.TagKillReq, ""), session.Denied},
		"stopped":              {loopback, true, body(wire.TagStopReq, "foo"), session.Answered},
		"stopped, but unknown": {loopback, true, body(wire.TagStopReq, "bar"), session.NotFound},
		"stopped, not relaxed": {loopback, false, body(wire.TagStopReq, "foo"), session.Denied},
		"no request of EPMD's": {loopback, false, body('?', ""), session.Faulty},
	} {
		s := newSim(relaxed(tt.relaxed))
		s.open(loopback).send(register("foo")...)
		res := s.open(tt.from).send(tt.sends...)
		require.NotZero(t, res.Tag, name)
		require.Equal(t, tt.want, res.Outcome(), "%s: %v", name, res.Outcome())
	}
	require.Equal(t, session.Denied, session.Result{Tag: wire.TagNamesReq, Err: session.ErrNotLocal}.Outcome())
	require.Equal(t, session.Refused, session.Result{Err: registry.RefusedTaken}.Outcome())
}

// TestOutcomeString: every outcome has a label of its own.
func TestOutcomeString(t *testing.T) {
	seen := make(map[string]bool)
	for o := range session.Outcome(session.NumOutcomes) {
		require.Regexp(t, "^[a-z_]+$", o.String())
		seen[o.String()] = true
	}
	require.Len(t, seen, session.NumOutcomes)
	require.Equal(t, "outcome 9", session.Outcome(9).String())
}
