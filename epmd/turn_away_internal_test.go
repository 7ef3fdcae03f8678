package epmd

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/portable"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestTurnedAwayIsTold: a registration for which there is no room is counted and told like
// any request, and ends for the same reason on both engines.
func TestTurnedAwayIsTold(t *testing.T) {
	engines := []Engine{EnginePortable}
	if runtime.GOOS == "linux" {
		engines = append(engines, EngineEpoll)
	}
	for _, engine := range engines {
		t.Run(engine.String(), func(t *testing.T) {
			requests := make(chan Request, 10)
			s := &Server{Engine: engine, MultiTransport: true, OnRequest: func(r Request) { requests <- r }}
			p := s.init()
			p.config.Limits.MaxKept = 0 // as when nodes hold all but what is left to requests
			p.engine.engine = portable.New(&p.config)
			events, _ := p.config.Registry.Subscribe(10)
			defer events.Close()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(ln) }()

			n := wire.Node{Name: "foo", Port: 1, Highest: 6, Lowest: 5}
			two, err := n.AppendAlive2Req(nil)
			require.NoError(t, err)
			n.Transport = "uds"
			three, err := n.AppendAlive3Req(nil)
			require.NoError(t, err)
			for _, packet := range [][]byte{two, three} {
				c, err := net.Dial("tcp", ln.Addr().String())
				require.NoError(t, err)
				require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
				_, err = c.Write(packet)
				require.NoError(t, err)
				answer, err := io.ReadAll(c)
				require.NoError(t, err)
				require.Empty(t, answer)
				require.NoError(t, c.Close())

				require.NotEmpty(t, requests, "it is told before the connection is closed")
				got, tag := <-requests, wire.Tag(packet[wire.HeaderLen])
				require.Equal(t, Request{
					Conn: got.Conn, Tag: tag, Name: "foo", Verdict: session.Close, Outcome: session.Denied, Err: session.ErrNoRoom,
				}, got)
				require.EqualValues(t, 1, s.Stats().Outcomes[tag][session.Denied])
				require.Equal(t, registry.Registered, (<-events.C).Kind)
				require.Equal(t, registry.ReasonUnanswered, (<-events.C).Reason)
			}
			require.EqualValues(t, 2, s.Stats().LimitConns)
			require.Zero(t, s.Stats().Denied)
			require.NoError(t, s.Close())
			require.ErrorIs(t, <-ended, ErrServerClosed)
			require.Empty(t, requests)
			require.Empty(t, events.C)
		})
	}
}
