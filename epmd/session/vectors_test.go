package session_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/internal/transcript"
	"github.com/goepmd/goepmd/wire"
)

func relaxed(on bool) func(*session.Daemon) {
	return func(d *session.Daemon) { d.RelaxedCommandCheck = on }
}

// TestVectors holds bare sessions to what OTP's epmd was recorded doing.
func TestVectors(t *testing.T) {
	scenarios, err := transcript.Standard()
	require.NoError(t, err)
	require.NotEmpty(t, scenarios)
	for _, sc := range scenarios {
		t.Run(sc.Name, func(t *testing.T) {
			require.NoError(t, transcript.Play(sc, newSim(relaxed(sc.Relaxed))))
		})
	}
}

// TestVectorsCut plays the same conversations in pieces. However a packet is cut,
// the answer is the same, but for the one rule that looks at segments: bytes
// behind a packet close the connection if they came with the packet's first
// read.
func TestVectorsCut(t *testing.T) {
	scenarios, err := transcript.Standard()
	require.NoError(t, err)
	played := 0
	for _, sc := range scenarios {
		if hasExcess(t, sc) {
			continue
		}
		for _, cut := range []int{1, 2, 3, 5, 17, 1000, 3058} {
			t.Run(fmt.Sprintf("%s/%d", sc.Name, cut), func(t *testing.T) {
				s := newSim(relaxed(sc.Relaxed))
				s.cut = cut
				require.NoError(t, transcript.Play(sc, s))
			})
		}
		played++
	}
	require.Greater(t, played, 200)
}

// hasExcess says whether a segment of the scenario holds more than a packet.
func hasExcess(t *testing.T, sc transcript.Scenario) bool {
	for _, step := range sc.Steps {
		segments, err := step.Segments()
		require.NoError(t, err)
		for _, b := range segments {
			if n, err := wire.PacketLen(b); err == nil && n > 0 && len(b) > n {
				return true
			}
		}
	}
	return false
}

// TestCutAnywhere cuts a registration and a lookup in two at each place.
func TestCutAnywhere(t *testing.T) {
	packets := map[string][]byte{}
	for name, b := range map[string][]byte{
		"register": register("foo"),
		"lookup":   body(wire.TagPortPlease2Req, "foo"),
		"names":    body(wire.TagNamesReq, ""),
	} {
		packet, err := wire.AppendPacket(nil, b)
		require.NoError(t, err)
		packets[name] = packet
	}
	for name, packet := range packets {
		whole := newSim()
		c := whole.open(loopback)
		require.NoError(t, c.Send([][]byte{packet}))
		want, wantClosed, _ := c.Recv()
		require.NotEmpty(t, want, name)
		for at := 1; at < len(packet); at++ {
			s := newSim()
			c := s.open(loopback)
			require.NoError(t, c.Send([][]byte{packet[:at], packet[at:]}))
			require.Equal(t, session.More, c.results[0].Verdict, "%s cut at %d", name, at)
			got, closed, _ := c.Recv()
			require.Equal(t, want, got, "%s cut at %d", name, at)
			require.Equal(t, wantClosed, closed, "%s cut at %d", name, at)
		}
	}
}
