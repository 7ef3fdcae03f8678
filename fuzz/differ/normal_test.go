package differ

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNormal: what is each daemon's own is made alike, and nothing else.
func TestNormal(t *testing.T) {
	alive := func(highest uint16) string { return string(frame(alive2(1, highest, []byte("~01~a"), nil))) }
	n := normal{port: 0x1234, prefix: "~01~"}
	for _, tt := range []struct{ sent, got, want string }{
		{alive(6), "v\x00\x00\x00\x01\x00", "v\x00creation +0 of 3, +0"},
		{alive(6), "v\x00\x00\x00\x01\x01", "v\x00creation +1 of 3, +1"},
		{alive(6), "v\x00\x00\x00\x01\x00", "v\x00creation +0 of 3, +0"},
		{alive(5), "y\x00\x00\x02", "y\x00creation +0"}, // 256 modulo 3 is 1
		{alive(5), "y\x00\x00\x03", "y\x00creation +1"},
		{alive(5), "y\x00\x00\x00", "creation 0 of 16 bits"},
		{alive(6), "v\x00\x00\x00\x00\x03", "creation 3 of 32 bits"},
		{alive(6), "v\x01\x00\x00\x00\x63", "v\x01\x00\x00\x00\x63"},
		{alive(6), "v\x00\x00", "v\x00\x00"},
		{alive(6)[:5], "v\x00\x00\x00\x01\x00", "v\x00\x00\x00\x01\x00"},
		{"\x00\x01n", "\x00\x00\x12\x34name ~01~x\ny at port 1\nname ~02~b at port 2\nname ~01~c at port 3\n", "PORT name ~01~x\ny at port 1\nname ~01~c at port 3\n"},
		{"\x00\x01n", "\x00\x00\x12\x35", "wrong port 4661 "},
		{"\x00\x01n", "\x00\x00\x12", "\x00\x00\x12"},
		{"\x00\x01n", "\x00\x00\x12\x34odd\nname ~02~b at port 2\n", "PORT odd\n"},
		{"\x00\x01d", "\x00\x00\x12\x34active name     <~01~a> at port 1, fd = 17\n\x00old/unused name <~02~b>, port = 2, fd = 5 \n\x00", "PORT active name     <~01~a> at port 1, fd = FD\n\x00"},
		{"\x00\x01d", "\x00\x00\x12\x34odd\n\x00", "PORT odd\n\x00"},
		{"\x00\x01d", "\x00\x00\x12\x34old/unused name <~01~b>, port = 2, fd = ", "PORT old/unused name <~01~b>, port = 2, fd = "},
		{"\x00\x02za", "w\x01", "w\x01"},
	} {
		require.Equal(t, tt.want, string(n.reply([]byte(tt.sent), []byte(tt.got))), "%q", tt.got)
	}
}
