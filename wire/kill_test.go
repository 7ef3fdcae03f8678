package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestKillReq(t *testing.T) {
	tagOnly{
		message: wire.MessageKillReq, tag: 107,
		parse: func(body []byte) ([]byte, error) {
			req, err := wire.ParseKillReq(body)
			return req.Tail, err
		},
		append: func(b, tail []byte) ([]byte, error) { return wire.KillReq{Tail: tail}.Append(b) },
	}.test(t)
}

func TestKillResp(t *testing.T) {
	for reply, want := range map[string]bool{"OK": true, "NO": false} {
		t.Run(reply, func(t *testing.T) {
			require.Equal(t, "before"+reply, string(wire.AppendKillResp([]byte("before"), want)))
			for _, behind := range []string{"", "\x00", "OK", "NO", "\n"} {
				ok, n, err := wire.ParseKillResp([]byte(reply + behind))
				require.NoError(t, err)
				require.Equal(t, want, ok)
				require.Equal(t, 2, n)
			}
			for end := range len(reply) {
				requireBadKillResp(t, reply[:end], wire.FaultIncomplete)
			}
		})
	}
}

func TestKillRespFaults(t *testing.T) {
	for _, reply := range []string{"x", "K", "\x00", "ON", "NK", "OO", "ok", "no", " OK", "Ok", "O\x00", "N\n"} {
		requireBadKillResp(t, reply, wire.FaultSyntax)
	}
}

func requireBadKillResp(t *testing.T, reply string, fault wire.Fault) {
	t.Helper()
	ok, n, err := wire.ParseKillResp([]byte(reply))
	requireFault(t, err, wire.Error{Message: wire.MessageKillResp, Field: wire.FieldText, Fault: fault})
	require.False(t, ok)
	require.Zero(t, n)
}
