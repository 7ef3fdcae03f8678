package wire_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// TestRefusedTakesNothing: with an error goes neither a value nor a length, whatever of a
// reply was cut off or changed.
func TestRefusedTakesNothing(t *testing.T) {
	of := func(v any, n int, err error) func() (any, int, error) {
		return func() (any, int, error) { return v, n, err }
	}
	parse := map[string]func(b []byte) func() (any, int, error){
		"ALIVE2_RESP":    func(b []byte) func() (any, int, error) { v, n, err := wire.ParseAlive2Resp(b); return of(v, n, err) },
		"ALIVE3_RESP":    func(b []byte) func() (any, int, error) { v, n, err := wire.ParseAlive3Resp(b); return of(v, n, err) },
		"PORT2_RESP":     func(b []byte) func() (any, int, error) { v, n, err := wire.ParsePort2Resp(b); return of(v, n, err) },
		"PORT3_RESP":     func(b []byte) func() (any, int, error) { v, n, err := wire.ParsePort3Resp(b); return of(v, n, err) },
		"KILL_RESP":      func(b []byte) func() (any, int, error) { v, n, err := wire.ParseKillResp(b); return of(v, n, err) },
		"KILL3_RESP":     func(b []byte) func() (any, int, error) { v, n, err := wire.ParseKill3Resp(b); return of(v, n, err) },
		"STOP_RESP":      func(b []byte) func() (any, int, error) { v, n, err := wire.ParseStopResp(b); return of(v, n, err) },
		"STOP3_RESP":     func(b []byte) func() (any, int, error) { v, n, err := wire.ParseStop3Resp(b); return of(v, n, err) },
		"first block":    func(b []byte) func() (any, int, error) { v, n, err := wire.ParseBlock(b, true); return of(v, n, err) },
		"block":          func(b []byte) func() (any, int, error) { v, n, err := wire.ParseBlock(b, false); return of(v, n, err) },
		"packet":         func(b []byte) func() (any, int, error) { n, err := wire.PacketLen(b); return of(0, n, err) },
		"first packet":   func(b []byte) func() (any, int, error) { n, err := wire.FirstPacketLen(b); return of(0, n, err) },
		"port of a list": func(b []byte) func() (any, int, error) { v, _, err := wire.ParseListPort(b); return of(v, 0, err) },
	}
	node := wire.Node{Name: "a", Port: 1, Type: 77, Highest: 6, Lowest: 5, Extra: "x"}
	packet, err := node.AppendAlive2Req(nil)
	require.NoError(t, err)
	replies := [][]byte{
		packet,
		wire.Alive2Resp{Creation: 3}.Append(nil), wire.Alive2Resp{Extended: true, Creation: 3}.Append(nil),
		wire.Alive3Resp{Creation: 3}.Append(nil), wire.Alive3Resp{Extended: true, Creation: 3}.Append(nil),
		node.AppendPort2Resp(nil), wire.Port2Resp{Result: 1}.Append(nil),
		node.AppendPort3Resp(nil, someTransports), wire.Port3Resp{Result: 1}.Append(nil),
		wire.AppendKillResp(nil, true), wire.AppendKill3Resp(nil, false), wire.AppendStopResp(nil, true), wire.AppendStop3Resp(nil, false),
		unhex("0006 01 00001111 61"), unhex("0001 00"),
	}
	for name, parse := range parse {
		refused := 0
		check := func(b []byte) {
			if v, n, err := parse(b)(); err != nil {
				refused++
				require.Zero(t, n, "%s of %x", name, b)
				require.True(t, reflect.ValueOf(v).IsZero(), "%s of %x", name, b)
			}
		}
		for _, reply := range replies {
			for at := range reply {
				check(reply[:at])
				for _, x := range []byte{0, 1, 0xff} {
					changed := append([]byte(nil), reply...)
					changed[at] = x
					check(changed)
				}
			}
		}
		require.Positive(t, refused, name)
	}
}
