package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

var alive2Resps = []struct {
	name  string
	reply string
	resp  wire.Alive2Resp
}{
	{"ALIVE2_RESP", "79 00 0003", wire.Alive2Resp{Creation: 3}},
	{"ALIVE2_RESP refused", "79 01 0063", wire.Alive2Resp{Result: 1, Creation: wire.RefusedCreation}},
	{"ALIVE2_RESP ones", "79 ff ffff", wire.Alive2Resp{Result: 255, Creation: 0xffff}},
	{"ALIVE2_X_RESP", "76 00 66554433", wire.Alive2Resp{Extended: true, Creation: 0x66554433}},
	{"ALIVE2_X_RESP refused", "76 01 00000063", wire.Alive2Resp{Extended: true, Result: 1, Creation: 99}},
	{"ALIVE2_X_RESP ones", "76 ff ffffffff", wire.Alive2Resp{Extended: true, Result: 255, Creation: 0xffffffff}},
}

func TestAlive2Resp(t *testing.T) {
	for _, c := range alive2Resps {
		t.Run(c.name, func(t *testing.T) {
			reply := unhex(c.reply)
			require.Equal(t, append([]byte("before"), reply...), c.resp.Append([]byte("before")))

			for _, behind := range []string{"", "\x00", "more bytes"} {
				resp, n, err := wire.ParseAlive2Resp(append(unhex(c.reply), behind...))
				require.NoError(t, err)
				require.Equal(t, len(reply), n)
				require.Equal(t, c.resp, resp)
			}
			for end := range len(reply) {
				resp, n, err := wire.ParseAlive2Resp(reply[:end])
				requireFault(t, err, wire.Error{
					Message: wire.MessageAlive2Resp, Field: wire.FieldMessage, Fault: wire.FaultIncomplete,
				})
				require.Zero(t, n)
				require.Zero(t, resp)
			}
		})
	}
}

func TestAlive2RespCreationOf16Bits(t *testing.T) {
	require.Equal(t, unhex("79 00 0102"), wire.Alive2Resp{Creation: 0xffff0102}.Append(nil))
}

func TestAlive2RespTag(t *testing.T) {
	for b := range 256 {
		if tag := wire.Tag(b); tag == wire.TagAlive2Resp || tag == wire.TagAlive2XResp {
			continue
		}
		resp, n, err := wire.ParseAlive2Resp([]byte{byte(b), 0, 0, 0, 0, 4})
		requireFault(t, err, wire.Error{Message: wire.MessageAlive2Resp, Field: wire.FieldTag, Fault: wire.FaultTag})
		require.Zero(t, n)
		require.Zero(t, resp)
	}
}
