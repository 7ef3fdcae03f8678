package epmdhttp_test

import (
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdhttp"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/wire"
)

// patience is how long anything may take that should happen at once.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a daemon and what is to be seen of it over HTTP, until the test ends.
type site struct {
	*epmdtest.Server
	handler *epmdhttp.Handler
	url     string // with a / at its end
}

func newSite(t *testing.T, o epmdhttp.Options) *site {
	t.Helper()
	s := &site{Server: epmdtest.NewServer(t, func(s *epmd.Server) { s.MeasureLatency, s.MultiTransport = true, true })}
	s.handler = epmdhttp.New(s.Server.Server, o)
	web := httptest.NewServer(s.handler)
	s.url = web.URL + "/"
	t.Cleanup(func() {
		_ = s.handler.Close() // is always nil
		web.Close()
	})
	return s
}

// fill registers many nodes, n0, n1 and so on.
func (s *site) fill(t *testing.T, many int) {
	t.Helper()
	for i := range many {
		_, _, err := s.RegisterLocal(wire.Node{Name: fmt.Sprint("n", i), Highest: 6, Lowest: 5})
		require.NoError(t, err)
	}
}

// alive3 registers the node "several" with one transport more, on a connection of its own,
// which is closed at the test's end at the latest.
func (s *site) alive3(t *testing.T, transport string, port uint16) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() }) // it may be closed
	packet, err := wire.Node{Name: "several", Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5, Transport: transport}.AppendAlive3Req(nil)
	require.NoError(t, err)
	_, err = c.Write(packet)
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 8))
	require.NoError(t, err)
	return c
}
