package session

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

type onLoopback struct{}

func (onLoopback) Remote() netip.Addr { return netip.IPv6Loopback() }
func (onLoopback) Local() netip.Addr  { return netip.IPv6Loopback() }

// TestNobodyMayWhatIsNoRequest: a tag without a right is allowed to nobody, whatever the
// lists and the program say.
func TestNobodyMayWhatIsNoRequest(t *testing.T) {
	all := []netip.Prefix{netip.MustParsePrefix("::/0")}
	p := Policy{Register: all, Stop: all, Allow: func(Peer, wire.Tag) bool {
		require.Fail(t, "the program is asked")
		return true
	}}
	for tag := range 256 {
		if tag := wire.Tag(tag); RightOf(tag) == rightNone {
			require.Equal(t, wire.ErrUnknownTag, p.check(onLoopback{}, tag))
			require.Equal(t, wire.ErrUnknownTag, (&Policy{}).check(onLoopback{}, tag))
		}
	}
}
