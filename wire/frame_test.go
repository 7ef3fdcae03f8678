package wire_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestPacketLen(t *testing.T) {
	size := wire.Error{Message: wire.MessagePacket, Field: wire.FieldLength, Fault: wire.FaultSize}
	excess := wire.Error{Message: wire.MessagePacket, Field: wire.FieldLength, Fault: wire.FaultExcess}
	var none wire.Error
	for _, c := range []struct {
		name       string
		b          []byte
		n          int
		err, first wire.Error // of PacketLen and of FirstPacketLen
	}{
		{"nothing", nil, 0, none, none},
		{"1 byte", []byte{0}, 0, none, none},
		{"1 byte of too many", []byte{0xff}, 0, none, none},
		{"N = 0", []byte{0, 0}, 0, size, size},
		{"N = 0, more", []byte{0, 0, 'n'}, 0, size, size},
		{"N = 1", []byte{0, 1}, 3, none, none},
		{"N = 1, complete", []byte{0, 1, 'n'}, 3, none, none},
		{"N = 1, one too many", []byte{0, 1, 'n', 0}, 3, none, excess},
		{"N = 4, begun", []byte{0, 4, 'z', 'f'}, 6, none, none},
		{"N = 4, two requests", []byte{0, 4, 'z', 'f', 'o', 'o', 0, 1, 'n'}, 6, none, excess},
		{"N = 256", []byte{1, 0}, 258, none, none},
		{"N = 3057", []byte{0x0b, 0xf1}, 3059, none, none},
		{"N = 3057, complete", append([]byte{0x0b, 0xf1}, make([]byte, 3057)...), 3059, none, none},
		{"N = 3057, one too many", append([]byte{0x0b, 0xf1}, make([]byte, 3058)...), 3059, none, excess},
		{"N = 3058", []byte{0x0b, 0xf2}, 0, size, size},
		{"N = 3058, complete", append([]byte{0x0b, 0xf2}, make([]byte, 3058)...), 0, size, size},
		{"N = 65535", []byte{0xff, 0xff}, 0, size, size},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := wire.PacketLen(c.b)
			requireLen(t, c.n, c.err, n, err)
			n, err = wire.FirstPacketLen(c.b)
			requireLen(t, c.n, c.first, n, err)
		})
	}
}

// requireLen wants a length, or, if it is any, an error and no length.
func requireLen(t *testing.T, want int, fault wire.Error, n int, err error) {
	t.Helper()
	if fault != (wire.Error{}) {
		requireFault(t, err, fault)
		require.Zero(t, n)
		return
	}
	require.NoError(t, err)
	require.Equal(t, want, n)
}

func TestPacketLenOfEveryLength(t *testing.T) {
	for n := range 1 << 16 {
		want := n + 2
		if want < 3 || want >= 3060 {
			want = 0
		}
		got, err := wire.PacketLen([]byte{byte(n >> 8), byte(n)})
		require.Equal(t, want, got)
		require.Equal(t, want == 0, err != nil)
	}
}

func TestAppendPacket(t *testing.T) {
	for _, n := range []int{1, 2, 255, 256, wire.MaxBodyLen} {
		body := bytes.Repeat([]byte{0xa5}, n)
		got, err := wire.AppendPacket([]byte("before"), body)
		require.NoError(t, err)
		require.Equal(t, append([]byte{'b', 'e', 'f', 'o', 'r', 'e', byte(n >> 8), byte(n)}, body...), got)
	}
	for n, fault := range map[int]wire.Fault{
		0: wire.FaultEmpty, wire.MaxBodyLen + 1: wire.FaultTooLong, 1<<16 + 1: wire.FaultTooLong,
	} {
		got, err := wire.AppendPacket([]byte("before"), make([]byte, n))
		requireFault(t, err, wire.Error{Message: wire.MessagePacket, Field: wire.FieldMessage, Fault: fault})
		require.Equal(t, "before", string(got))
	}
}

func TestBodyTag(t *testing.T) {
	for b := range 256 {
		tag, err := wire.BodyTag([]byte{byte(b), 'x'})
		require.NoError(t, err)
		require.Equal(t, wire.Tag(b), tag)
	}
	tag, err := wire.BodyTag(nil)
	requireFault(t, err, wire.Error{Message: wire.MessagePacket, Field: wire.FieldMessage, Fault: wire.FaultEmpty})
	require.Zero(t, tag)
}

func TestErrUnknownTag(t *testing.T) {
	requireFault(t, wire.ErrUnknownTag, wire.Error{
		Message: wire.MessagePacket, Field: wire.FieldTag, Fault: wire.FaultTag,
	})
}
