package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/goepmd/goepmd/wire"
)

func TestLimits(t *testing.T) {
	assert.Equal(t, 4369, wire.DefaultPort)
	assert.Equal(t, 2, wire.HeaderLen)
	assert.Equal(t, 1, wire.MinBodyLen)
	assert.Equal(t, 3057, wire.MaxBodyLen)
	assert.Equal(t, 3059, wire.MaxPacketLen)
	assert.Equal(t, 1020, wire.MaxNameBytes)
	assert.Equal(t, 255, wire.MaxNameChars)
	assert.Equal(t, 254, wire.MaxLookupChars)
	assert.Equal(t, 1020, wire.MaxExtraBytes)
	assert.Equal(t, 6, wire.Highest32BitCreation)
	assert.Equal(t, 99, wire.RefusedCreation)
	assert.Equal(t, 127, wire.MaxTransportLen)
	assert.Equal(t, 32, wire.MaxTransports)
	assert.Equal(t, 16384, wire.MaxBlockLen)
	assert.Equal(t, 77, wire.NodeTypeNormal)
	assert.Equal(t, 72, wire.NodeTypeHidden)
	assert.Equal(t, 0, wire.ProtocolTCP)
}
