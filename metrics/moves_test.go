package metrics_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// patience is how long anything may take that should happen at once.
const patience = 30 * time.Second

// move is something that happens to a server, and by how much it moves which series.
type move struct {
	server func(*epmd.Server) // how it differs from the usual
	alone  bool               // nobody is registered
	do     func(*scene)
	want   map[string]float64
}

// scene is where a move happens: a server with one registered node, "here".
type scene struct {
	t        *testing.T
	server   *epmd.Server
	listener *trapListener
	client   *epmd.Client
	here     *epmd.Registration
}

var moves = map[string]move{
	"a node comes": {
		do: func(s *scene) { s.register("new") },
		want: map[string]float64{
			"epmd_nodes": 1, "epmd_registrations_total": 1, "epmd_connections{registered}": 1,
			"epmd_requests_total{ALIVE2_REQ,answered}": 1, "epmd_connections_accepted_total": 1,
			"epmd_request_duration_seconds": 1,
		},
	},
	"a node goes": {
		do: func(s *scene) { require.NoError(s.t, s.here.Close()) },
		want: map[string]float64{
			"epmd_nodes": -1, "epmd_remembered_names": 1, "epmd_registrations_ended_total{closed}": 1,
			"epmd_connections{registered}": -1,
		},
	},
	"a node sends something": {
		do: func(s *scene) {
			c := s.alive("new", "")
			s.send(c, "x")
			s.requireClosed(c)
		},
		want: map[string]float64{"epmd_registrations_ended_total{data}": 1, "epmd_registrations_total": 1, "epmd_nodes": 0},
	},
	"a node is stopped": {
		server: func(s *epmd.Server) { s.RelaxedCommandCheck = true },
		do:     func(s *scene) { require.NoError(s.t, s.client.Stop(s.ctx(), "here")) },
		want: map[string]float64{
			"epmd_registrations_ended_total{stopped}": 1, "epmd_requests_total{STOP_REQ,answered}": 1,
		},
	},
	"nobody is stopped": {
		server: func(s *epmd.Server) { s.RelaxedCommandCheck = true },
		do:     func(s *scene) { require.Error(s.t, s.client.Stop(s.ctx(), "nobody")) },
		want:   map[string]float64{"epmd_requests_total{STOP_REQ,not_found}": 1},
	},
	"stopping is not allowed": {
		do:   func(s *scene) { require.Error(s.t, s.client.Stop(s.ctx(), "here")) },
		want: map[string]float64{"epmd_requests_total{STOP_REQ,denied}": 1, "epmd_nodes": 0},
	},
	"a node is not answered": {
		server: func(s *epmd.Server) { s.WriteDelay = 50 * time.Millisecond },
		do: func(s *scene) {
			c := s.pipe()
			s.send(c, packet(s.t, "new", ""))
			require.NoError(s.t, c.Close())
		},
		want: map[string]float64{
			"epmd_registrations_ended_total{unanswered}": 1, "epmd_connections_failed_total{write_error}": 1,
		},
	},
	"the server ends": {
		do:   func(s *scene) { require.NoError(s.t, s.server.Close()) },
		want: map[string]float64{"epmd_registrations_ended_total{shutdown}": 1, "epmd_nodes": -1},
	},
	"a name is taken": {
		do: func(s *scene) { s.alive("here", "") },
		want: map[string]float64{
			"epmd_registrations_refused_total{taken}": 1, "epmd_connections{refused}": 1,
			"epmd_requests_total{ALIVE2_REQ,refused}": 1, "epmd_registrations_total": 0,
		},
	},
	"a node is not admitted": {
		server: func(s *epmd.Server) {
			s.AdmitNode = func(_ epmd.Conn, n wire.Node) error {
				if n.Name == "here" {
					return nil
				}
				return errors.New("not here")
			}
		},
		do: func(s *scene) { s.alive("new", "") },
		want: map[string]float64{
			"epmd_registrations_refused_total{not_admitted}": 1, "epmd_requests_total{ALIVE2_REQ,refused}": 1,
			"epmd_registrations_total": 0, "epmd_connections{refused}": 1, "epmd_hook_panics_total": 0,
		},
	},
	"a hook panics": {
		server: func(s *epmd.Server) { s.Resolve = func(string) (wire.Node, bool) { panic("a mistake") } },
		do: func(s *scene) {
			_, err := s.client.Lookup(s.ctx(), "nobody")
			require.ErrorIs(s.t, err, epmd.ErrNotFound)
		},
		want: map[string]float64{"epmd_hook_panics_total": 1, "epmd_requests_total{PORT_PLEASE2_REQ,not_found}": 1},
	},
	"an unknown tag is answered": {
		server: func(s *epmd.Server) {
			s.HandleUnknown = func(_ epmd.Conn, _, reply []byte) ([]byte, bool) { return append(reply, "yes"...), true }
		},
		do: func(s *scene) {
			c := s.pipe()
			s.send(c, "\x00\x01?")
			s.requireClosed(c)
		},
		want: map[string]float64{"epmd_requests_total{other,answered}": 1, "epmd_faults_total{tag}": 0},
	},
	"nobody may end the daemon": {
		server: func(s *epmd.Server) { s.RelaxedCommandCheck, s.RefuseKill = true, true },
		do:     func(s *scene) { require.ErrorIs(s.t, s.client.Kill(s.ctx()), epmd.ErrNotAllowed) },
		want:   map[string]float64{"epmd_requests_total{KILL_REQ,refused}": 1, "epmd_nodes": 0},
	},
	"a name has too many bytes": {
		do:   func(s *scene) { s.alive(strings.Repeat("\U0001f600", 255)+"x", "") },
		want: map[string]float64{"epmd_registrations_refused_total{name_bytes}": 1},
	},
	"a name has too many characters": {
		do:   func(s *scene) { s.alive(strings.Repeat("x", 256), "") },
		want: map[string]float64{"epmd_registrations_refused_total{name_chars}": 1},
	},
	"a name is no UTF-8": {
		do:   func(s *scene) { s.alive("\xff", "") },
		want: map[string]float64{"epmd_registrations_refused_total{name_utf8}": 1},
	},
	"an extra field is too long": {
		do:   func(s *scene) { s.alive("new", strings.Repeat("x", wire.MaxExtraBytes+1)) },
		want: map[string]float64{"epmd_registrations_refused_total{extra_bytes}": 1},
	},
	"lookups and lists": {
		do: func(s *scene) {
			_, err := s.client.Lookup(s.ctx(), "here")
			require.NoError(s.t, err)
			_, err = s.client.Lookup(s.ctx(), "nobody")
			require.ErrorIs(s.t, err, epmd.ErrNotFound)
			_, err = s.client.Names(s.ctx())
			require.NoError(s.t, err)
			_, err = s.client.Dump(s.ctx())
			require.NoError(s.t, err)
			require.Error(s.t, s.client.Kill(s.ctx()))
		},
		want: map[string]float64{
			"epmd_requests_total{PORT_PLEASE2_REQ,answered}": 1, "epmd_requests_total{PORT_PLEASE2_REQ,not_found}": 1,
			"epmd_requests_total{NAMES_REQ,answered}": 1, "epmd_requests_total{DUMP_REQ,answered}": 1,
			"epmd_requests_total{KILL_REQ,refused}": 1, "epmd_request_duration_seconds": 5,
			"epmd_connections_accepted_total": 5, "epmd_connections{registered}": 0,
		},
	},
	"somebody waits": {
		do:   func(s *scene) { s.pipe() },
		want: map[string]float64{"epmd_connections{unfinished}": 1},
	},
	"somebody stops in the middle": {
		do: func(s *scene) {
			c := s.pipe()
			s.send(c, "\x00")
			require.NoError(s.t, c.Close())
		},
		want: map[string]float64{"epmd_connections_failed_total{partial}": 1},
	},
	"somebody is late": {
		server: func(s *epmd.Server) { s.PacketTimeout = 50 * time.Millisecond },
		alone:  true, // on a busy machine a registration may take longer
		do:     func(s *scene) { s.requireClosed(s.pipe()) },
		want:   map[string]float64{"epmd_connections_failed_total{timed_out}": 1},
	},
	"a length of nothing":      fault("\x00\x00", "size"),
	"an unknown tag":           fault("\x00\x01?", "tag", "epmd_requests_total{other,fault}"),
	"a packet that goes on":    fault("\x00\x01nn", "excess"),
	"a registration too short": fault("\x00\x01x", "short", "epmd_requests_total{ALIVE2_REQ,fault}"),
	"a lookup of nothing":      fault("\x00\x01z", "empty", "epmd_requests_total{PORT_PLEASE2_REQ,fault}"),
	"a lookup of NUL":          fault("\x00\x04zx\x00x", "nul"),
	"a lookup of no UTF-8":     fault("\x00\x02z\xff", "utf8"),
	"a lookup too long":        fault("\x01\x01z"+strings.Repeat("x", 256), "too_long"),
	"too many connections": {
		server: func(s *epmd.Server) { s.MaxConns, s.MaxUnfinished = 1, 1 },
		do:     func(s *scene) { s.requireClosed(s.pipe()) },
		want:   map[string]float64{"epmd_limit_hits_total{conns}": 1},
	},
	"too many from one peer": {
		server: func(s *epmd.Server) { s.MaxConnsPerPeer = 1 },
		do:     func(s *scene) { s.requireClosed(s.pipe()) },
		want:   map[string]float64{"epmd_limit_hits_total{peer}": 1},
	},
	"too many that wait": {
		server: func(s *epmd.Server) { s.MaxUnfinished = 1 },
		do: func(s *scene) {
			first := s.pipe()
			s.pipe()
			s.requireClosed(first)
		},
		want: map[string]float64{"epmd_limit_hits_total{unfinished}": 1, "epmd_connections{unfinished}": 1},
	},
	"too many that were refused": {
		server: func(s *epmd.Server) { s.MaxRefused = 1 },
		do: func(s *scene) {
			first := s.alive("here", "")
			s.alive("here", "")
			s.requireClosed(first)
		},
		want: map[string]float64{"epmd_limit_hits_total{refused}": 1, "epmd_connections{refused}": 1},
	},
	"too much that waits to be read": {
		server: func(s *epmd.Server) { s.MaxPendingBytes = 1 },
		do: func(s *scene) {
			s.send(s.pipe(), "\x00\x01n")
			s.send(s.pipe(), "\x00\x01n")
		},
		want: map[string]float64{"epmd_limit_hits_total{pending}": 1},
	},
	"several transports": {
		server: func(s *epmd.Server) { s.MultiTransport = true },
		do: func(s *scene) {
			c := s.pipe()
			for i := range wire.MaxTransports + 1 {
				s.alive3(c, fmt.Sprint("t", i))
			}
		},
		want: map[string]float64{
			"epmd_requests_total{ALIVE3_REQ,answered}": wire.MaxTransports, "epmd_requests_total{ALIVE3_REQ,refused}": 1,
			"epmd_registrations_refused_total{transports}": 1, "epmd_nodes": 1, "epmd_registrations_total": 1,
			"epmd_request_duration_seconds": wire.MaxTransports + 1,
		},
	},
	"a connection holds enough": {
		server: func(s *epmd.Server) { s.MultiTransport, s.MaxTransportsPerConn = true, 1 },
		do: func(s *scene) {
			c := s.pipe()
			s.alive3(c, "one")
			s.alive3(c, "two")
		},
		want: map[string]float64{"epmd_registrations_refused_total{held}": 1},
	},
	"no more files": {
		do: func(s *scene) { s.listener.errs <- os.NewSyscallError("accept4", syscall.EMFILE) },
		want: map[string]float64{
			"epmd_accept_errors_total": 1,
		},
	},
}

// fault is a move in which somebody sends bytes that are no request.
func fault(bytes, label string, also ...string) move {
	want := map[string]float64{"epmd_faults_total{" + label + "}": 1}
	for _, series := range also {
		want[series] = 1
	}
	return move{
		do: func(s *scene) {
			c := s.pipe()
			s.send(c, bytes)
			s.requireClosed(c)
		},
		want: want,
	}
}

// TestEveryMetricMoves has things happen to servers, and sees that each metric says so.
func TestEveryMetricMoves(t *testing.T) {
	moved := make(map[string]bool)
	for name, m := range moves {
		t.Run(name, func(t *testing.T) { play(t, m) })
		for series, by := range m.want {
			moved[series] = moved[series] || by != 0
			moved[family(series)] = moved[family(series)] || by != 0
		}
	}
	server := &epmd.Server{MeasureLatency: true}
	for series := range collect(t, register(t, server)) {
		name := family(series)
		switch name {
		case "epmd_build_info": // stands still
		case "epmd_requests_total": // not every pair can be
			require.True(t, moved[name], name)
		default:
			require.True(t, moved[series], "nothing moves %s", series)
		}
	}
}

// play lets a move happen, and waits until all series are where they should be.
func play(t *testing.T, m move) {
	s := newScene(t, m)
	defer func() { require.NoError(t, s.server.Close()) }()
	r := register(t, s.server)
	before := collect(t, r)
	m.do(s)
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		now := collect(s.t, r)
		for series, by := range m.want {
			require.Contains(t, now, series)
			require.Equal(t, by, now[series]-before[series], series)
		}
	}, patience, time.Millisecond)
}
