package wire_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// unhex reads a fixture: hexadecimal, with blanks between the fields.
func unhex(fixture string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(fixture, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// requireFault wants exactly this error, and its fault and no other by errors.Is.
func requireFault(t *testing.T, err error, want wire.Error) {
	t.Helper()
	var got *wire.Error
	require.ErrorAs(t, err, &got)
	require.Equal(t, want, *got)
	for f := range wire.Fault(wire.NumFaults) {
		assert.Equal(t, f == want.Fault, errors.Is(err, f), "errors.Is(err, %v)", f)
	}
}

// tagOnly is what NAMES_REQ, DUMP_REQ and KILL_REQ have in common.
type tagOnly struct {
	message wire.Message
	tag     byte
	parse   func(body []byte) (tail []byte, err error)
	append  func(b, tail []byte) ([]byte, error)
}

func (m tagOnly) test(t *testing.T) {
	t.Run("fixtures", func(t *testing.T) {
		for _, tail := range []string{"", "\x00", "tail", strings.Repeat("t", wire.MaxBodyLen-1)} {
			n := 1 + len(tail)
			packet := append([]byte{byte(n >> 8), byte(n), m.tag}, tail...)

			got, err := m.append([]byte("before"), []byte(tail))
			require.NoError(t, err)
			require.Equal(t, "before"+string(packet), string(got))

			// Every cut behind the tag is the same request with a shorter tail.
			for end := 1; end <= n; end++ {
				got, err := m.parse(packet[2:][:end])
				require.NoError(t, err)
				require.Equal(t, tail[:end-1], string(got))
			}
		}
	})
	t.Run("tag", func(t *testing.T) {
		want := wire.Error{Message: m.message, Field: wire.FieldTag, Fault: wire.FaultTag}
		_, err := m.parse(nil)
		requireFault(t, err, want)
		for b := range 256 {
			tail, err := m.parse([]byte{byte(b), 't'})
			if byte(b) == m.tag {
				require.NoError(t, err)
				require.Equal(t, "t", string(tail))
				continue
			}
			requireFault(t, err, want)
			require.Nil(t, tail)
		}
	})
	t.Run("too long", func(t *testing.T) {
		got, err := m.append([]byte("before"), make([]byte, wire.MaxBodyLen))
		requireFault(t, err, wire.Error{Message: wire.MessagePacket, Field: wire.FieldMessage, Fault: wire.FaultTooLong})
		require.Equal(t, "before", string(got))
	})
}
