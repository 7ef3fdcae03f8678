package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// TestNewNames: no two requests have the same name, of one client or of two; the names of
// those that come back are few.
func TestNewNames(t *testing.T) {
	seen := map[string]bool{}
	add := func(request []byte) {
		req, err := wire.ParseAlive2Req(request[wire.HeaderLen:])
		require.NoError(t, err)
		seen[string(req.Name)] = true
	}
	for client := range 3 {
		next := newNames(client)
		for range 1234 {
			add(next())
		}
	}
	require.Len(t, seen, 3*1234)
	require.Contains(t, seen, "tool02of000001234")

	clear(seen)
	next := inTurn(clientNodes(0))
	for range 1234 {
		add(next())
	}
	require.Len(t, seen, namesOfClient)
}
