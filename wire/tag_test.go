package wire_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestTag(t *testing.T) {
	tags := map[byte]struct {
		tag  wire.Tag
		name string
	}{
		'x': {wire.TagAlive2Req, "ALIVE2_REQ"},
		'z': {wire.TagPortPlease2Req, "PORT_PLEASE2_REQ"},
		'n': {wire.TagNamesReq, "NAMES_REQ"},
		'd': {wire.TagDumpReq, "DUMP_REQ"},
		'k': {wire.TagKillReq, "KILL_REQ"},
		's': {wire.TagStopReq, "STOP_REQ"},
		'X': {wire.TagAlive3Req, "ALIVE3_REQ"},
		'Z': {wire.TagPortPlease3Req, "PORT_PLEASE3_REQ"},
		'N': {wire.TagNames3Req, "NAMES3_REQ"},
		'D': {wire.TagDump3Req, "DUMP3_REQ"},
		'K': {wire.TagKill3Req, "KILL3_REQ"},
		'S': {wire.TagStop3Req, "STOP3_REQ"},
		'y': {wire.TagAlive2Resp, "ALIVE2_RESP"},
		'v': {wire.TagAlive2XResp, "ALIVE2_X_RESP"},
		'w': {wire.TagPort2Resp, "PORT2_RESP"},
	}
	seen := map[string]bool{}
	for b := range 256 {
		want := "tag " + strconv.Itoa(b)
		if known, ok := tags[byte(b)]; ok {
			require.Equal(t, wire.Tag(b), known.tag)
			want = known.name
		}
		require.Equal(t, want, wire.Tag(b).String())
		require.False(t, seen[want], want)
		seen[want] = true
	}
}
