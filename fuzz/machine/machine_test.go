package machine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/wire"
)

const epoch int64 = 1_700_000_000_000

// start starts a machine with some connections of this machine.
func start(t *testing.T, o Options, conns int) *Machine {
	t.Helper()
	if o.Now == 0 {
		o.Now = epoch
	}
	m, err := New(o)
	require.NoError(t, err)
	for i := range conns {
		id, err := m.Open(true)
		require.NoError(t, err)
		require.EqualValues(t, i+1, id)
	}
	return m
}

func feed(t *testing.T, m *Machine, id ConnID, chunk string) Result {
	t.Helper()
	res, err := m.Feed(id, []byte(chunk))
	require.NoError(t, err)
	return res
}

func state(t *testing.T, m *Machine) State {
	t.Helper()
	s, err := m.State()
	require.NoError(t, err)
	return s
}

// register is the packet of a node of the given name.
func register(t *testing.T, name string) string {
	t.Helper()
	b, err := wire.Node{Name: name, Port: 1000, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
	require.NoError(t, err)
	return string(b)
}

func TestStates(t *testing.T) {
	m := start(t, Options{PacketTimeout: 1000}, 4)
	require.Equal(t, session.Keep, feed(t, m, 1, register(t, "foo")).Verdict)
	res := feed(t, m, 2, register(t, "foo"))
	require.Equal(t, session.Keep, res.Verdict)
	require.Equal(t, "the name is already registered", res.Error)
	require.Equal(t, Result{Used: 4}, feed(t, m, 3, "\x00\x09z1"))
	require.Equal(t, Result{Used: 1}, feed(t, m, 3, "2"))
	require.Equal(t, session.Close, feed(t, m, 4, "\x00\x00").Verdict)
	require.Equal(t, []Conn{
		{ID: 1, Local: true, State: Kept, Want: 3060},
		{ID: 2, Local: true, State: Refused, Want: 3060},
		{ID: 3, Local: true, State: Reading, Want: 6, Buffered: 5, Deadline: epoch + 1000},
		{ID: 4, Local: true, State: Closed, Want: 3060},
	}, state(t, m).Conns)
	require.Equal(t, []Node{{
		Name: "foo", NameHex: "666f6f", Port: 1000, Type: 77, Highest: 6, Lowest: 5,
		Creation: 1_700_000_001, Counter: 1_700_000_001, Owner: 1, Since: epoch,
	}}, state(t, m).Nodes)

	require.NoError(t, m.End(1))
	s := state(t, m)
	require.Empty(t, s.Nodes)
	require.Len(t, s.Old, 1)
	require.Len(t, s.Conns, 3)
}

func TestUnknownConnections(t *testing.T) {
	m := start(t, Options{}, 1)
	require.NoError(t, m.End(1))
	for _, id := range []ConnID{0, 1, 2, MaxConnID, 1<<32 - 1} {
		_, err := m.Want(id)
		require.ErrorIs(t, err, ErrConn)
		_, err = m.Feed(id, []byte{0})
		require.ErrorIs(t, err, ErrConn)
		require.ErrorIs(t, m.End(id), ErrConn)
	}
}

func TestTimeouts(t *testing.T) {
	tests := map[string]struct {
		o     Options
		first int64 // until connection 2, which sends a byte after 600 ms, is closed
	}{
		"from the accept": {Options{PacketTimeout: 1000}, 1000},
		"restarts":        {Options{PacketTimeout: 1000, TimeoutRestarts: true}, 1600},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := start(t, tt.o, 3)
			feed(t, m, 3, register(t, "foo"))
			late, err := m.Advance(600)
			require.NoError(t, err)
			require.Empty(t, late)
			feed(t, m, 2, "\x00")
			closed := make(map[ConnID]int64)
			for at := int64(601); at <= 2000; at++ {
				late, err := m.Advance(1)
				require.NoError(t, err)
				for _, id := range late {
					closed[id] = at
				}
			}
			require.Equal(t, map[ConnID]int64{1: 1000, 2: tt.first}, closed)
			require.Equal(t, session.Close, feed(t, m, 1, "\x00").Verdict)
			require.Len(t, state(t, m).Nodes, 1)
		})
	}
}

func TestNoTimeout(t *testing.T) {
	m := start(t, Options{}, 1)
	late, err := m.Advance(MaxTime - epoch)
	require.NoError(t, err)
	require.Empty(t, late)
	require.Zero(t, state(t, m).Conns[0].Deadline)
}

func TestTimeIsBounded(t *testing.T) {
	for _, o := range []Options{{Now: -1}, {Now: MaxTime + 1}, {PacketTimeout: -1}} {
		_, err := Native(o)
		require.ErrorIs(t, err, ErrTime)
	}
	m := start(t, Options{}, 0)
	for _, ms := range []int64{-1, MaxTime - epoch + 1, 1<<63 - 1} {
		_, err := m.Advance(ms)
		require.ErrorIs(t, err, ErrTime)
	}
	require.EqualValues(t, epoch, state(t, m).Now)
}

func TestRemotePeer(t *testing.T) {
	m := start(t, Options{}, 0)
	id, err := m.Open(false)
	require.NoError(t, err)
	res := feed(t, m, id, register(t, "foo"))
	require.Equal(t, session.Close, res.Verdict)
	require.Equal(t, session.ErrNotLocal.Error(), res.Error)
	require.False(t, state(t, m).Conns[0].Local)
}

func TestEvicted(t *testing.T) {
	m := start(t, Options{Relaxed: true}, 2)
	feed(t, m, 1, register(t, "foo"))
	res := feed(t, m, 2, "\x00\x04sfoo")
	require.Equal(t, []ConnID{1}, res.Evicted)
	require.Equal(t, "STOPPED", string(res.Reply))
	require.Equal(t, Closed, state(t, m).Conns[0].State)
	require.NoError(t, m.End(1))
}

func TestStop(t *testing.T) {
	m := start(t, Options{Relaxed: true}, 3)
	feed(t, m, 1, register(t, "foo"))
	feed(t, m, 3, "\x00")
	require.Equal(t, session.StopDaemon, feed(t, m, 2, "\x00\x01k").Verdict)
	s := state(t, m)
	require.True(t, s.Stopped)
	require.Empty(t, s.Nodes)
	for _, c := range s.Conns {
		require.Equal(t, Closed, c.State)
		require.Zero(t, c.Buffered)
	}
	_, err := m.Open(true)
	require.ErrorIs(t, err, ErrStopped)
}

func TestConnsAreBounded(t *testing.T) {
	m := start(t, Options{}, MaxConns)
	_, err := m.Open(true)
	require.ErrorIs(t, err, ErrFull)
	require.NoError(t, m.End(7))
	id, err := m.Open(true)
	require.NoError(t, err)
	require.EqualValues(t, MaxConns+1, id)

	m.last = MaxConnID
	require.NoError(t, m.End(8))
	_, err = m.Open(true)
	require.ErrorIs(t, err, ErrFull)
}

// register3 is the packet that registers a transport.
func register3(t *testing.T, name, transport string, port uint16) string {
	t.Helper()
	b, err := wire.Node{Name: name, Transport: transport, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}.AppendAlive3Req(nil)
	require.NoError(t, err)
	return string(b)
}

// TestTransports: each is told with the connection that holds it, and ends with it;
// half of a further request is nothing that changes.
func TestTransports(t *testing.T) {
	m := start(t, Options{MultiTransport: true, PacketTimeout: 1000}, 2)
	require.Equal(t, "\x00\x06v\x00\x65\x53\xf1\x01", string(feed(t, m, 1, register3(t, "s", "inet_tcp", 1)).Reply))
	_, err := m.Advance(500)
	require.NoError(t, err)
	require.Equal(t, session.Keep, feed(t, m, 2, register3(t, "s", "\xff", 2)).Verdict)
	first := Transport{Name: "inet_tcp", NameHex: "696e65745f746370", Port: 1, Owner: 1, Since: epoch}
	second := Transport{Name: "\ufffd", NameHex: "ff", Port: 2, Owner: 2, Since: epoch + 500}
	node := Node{
		Name: "s", NameHex: "73", Port: 1, Type: 77, Highest: 6, Lowest: 5, Creation: 1_700_000_001, Counter: 1_700_000_001,
		Owner: 1, Since: epoch, Transports: []Transport{first, second},
	}
	require.Equal(t, []Node{node}, state(t, m).Nodes)

	require.Equal(t, Result{Used: 3}, feed(t, m, 1, "\x00\x09X"))
	require.Equal(t, Result{Used: 1}, feed(t, m, 1, "1"))
	require.Equal(t, session.Keep, feed(t, m, 1, "").Verdict)
	late, err := m.Advance(10_000)
	require.NoError(t, err)
	require.Empty(t, late)
	require.Equal(t, []Conn{
		{ID: 1, Local: true, State: Kept, Want: 7, Buffered: 4, TakesMore: true},
		{ID: 2, Local: true, State: Kept, Want: 3, TakesMore: true},
	}, state(t, m).Conns)

	require.NoError(t, m.End(1))
	node.Port, node.Owner, node.Transports = 2, 2, []Transport{second}
	require.Equal(t, []Node{node}, state(t, m).Nodes)
	require.NoError(t, m.End(2))
	require.Equal(t, []Node{node}, state(t, m).Old)
}

// TestWithoutTransports: the extension's requests are garbage without it.
func TestWithoutTransports(t *testing.T) {
	m := start(t, Options{}, 1)
	res := feed(t, m, 1, register3(t, "s", "inet_tcp", 1))
	require.Equal(t, session.Close, res.Verdict)
	require.Equal(t, wire.ErrUnknownTag.Error(), res.Error)
}

// TestReplyIsTheCallers: a list that the registry keeps is not handed out.
func TestReplyIsTheCallers(t *testing.T) {
	m := start(t, Options{Port: 1}, 2)
	clear(feed(t, m, 1, "\x00\x01n").Reply)
	require.Equal(t, "\x00\x00\x00\x01", string(feed(t, m, 2, "\x00\x01n").Reply))
}
