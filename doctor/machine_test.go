package doctor_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/wire"
)

// runs says which nodes run on this machine.
func runs(all ...doctor.Process) func() ([]doctor.Process, error) {
	return func() ([]doctor.Process, error) { return all, nil }
}

func beam(pid int, node string, ports ...uint16) doctor.Process {
	p := doctor.Process{PID: pid, Program: "beam.smp", Node: node}
	for _, port := range ports {
		p.Listens = append(p.Listens, netip.AddrPortFrom(netip.IPv4Unspecified(), port))
	}
	return p
}

// TestAllOfMachine: without a name, what runs is compared with what is registered.
func TestAllOfMachine(t *testing.T) {
	s, other := epmdtest.NewServer(t), epmdtest.NewServer(t)
	port := goNode(t, "a@here", "127.0.0.1")
	s.Node("a", port)
	d := newDoctor(uint16(s.Port()))

	t.Run("all are registered", func(t *testing.T) {
		d.Processes = runs(beam(7, "a", port))
		rep := examine(t, d, "")
		require.Contains(t, rep.Unseen[0], "Cookies were not compared")
		for _, s := range rep.Steps {
			require.True(t, s.ID != doctor.StepNodes || s.Seen == "a (process 7)", s.Seen)
		}
	})
	t.Run("one is not", func(t *testing.T) {
		d.Processes = runs(beam(7, "a", port), beam(8, "lost@here", 9))
		rep := examine(t, d, "", doctor.RegistrationLost)
		require.Contains(t, rep.Findings[0].Seen, "lost@here runs on this machine (process 8)")
	})
	t.Run("its name is another's", func(t *testing.T) {
		d.Processes = runs(beam(7, "x", port), beam(8, "a", 9))
		examine(t, d, "", doctor.RegistrationLost, doctor.RegistrationLost)
	})
	t.Run("those that need not be", func(t *testing.T) {
		deaf, own, mute := beam(8, "deaf"), beam(9, "own", 9), beam(10, "")
		deaf.NotListening, own.WithoutEPMD = true, "-erl_epmd_port 9"
		d.Processes = runs(beam(7, "a", port), deaf, own, mute)
		examine(t, d, "")
		examine(t, d, "deaf@here", doctor.NotListening)
		examine(t, d, "own@here", doctor.WithoutEPMD)

		none := newDoctor(freePort(t))
		none.Processes = runs(deaf, own, mute)
		examine(t, none, "")
		examine(t, none, "own@here", doctor.WithoutEPMD)
		none.Processes = runs(deaf, own, beam(7, "b"))
		examine(t, none, "", doctor.EPMDUnreachable)
	})
	t.Run("one of another user", func(t *testing.T) {
		hidden := beam(8, "hidden")
		hidden.Hidden = true
		d.Processes = runs(beam(7, "a", port), hidden)
		rep := examine(t, d, "")
		require.Contains(t, rep.Unseen[0], "1 EPMD or node of other users")
	})
	t.Run("one at another EPMD", func(t *testing.T) {
		port2 := goNode(t, "far@here", "127.0.0.1")
		far := beam(8, "far@here", port2)
		far.EPMDPort = strconv.Itoa(other.Port())
		other.Node("far", port2)
		d.Processes = runs(beam(7, "a", port), far)
		rep := examine(t, d, "", doctor.PortMismatchEnv)
		require.Contains(t, rep.Findings[0].Seen, "ERL_EPMD_PORT="+far.EPMDPort+" (process 8)")

		d := newDoctor(freePort(t)) // where there is none at all
		d.Processes = runs(far)
		examine(t, d, "", doctor.PortMismatchEnv)
	})
}

// TestNodeNames: without a name, nodes are looked for where their own names lead.
func TestNodeNames(t *testing.T) {
	s := epmdtest.NewServer(t)
	d := newDoctor(uint16(s.Port()))
	d.Addrs = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("198.51.100.2")}, nil }
	names := hosts{"here": {"127.0.0.1"}, "elsewhere": {"203.0.113.9"}, "alias": {"198.51.100.2"}}
	d.Resolver = names
	d.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
		if strings.HasPrefix(at, "127.0.0.1:") {
			return new(net.Dialer).DialContext(ctx, network, at)
		}
		return nil, syscall.ECONNREFUSED
	}
	node := s.Node("a", goNode(t, "a@nowhere", "127.0.0.1"))
	examine(t, d, "", doctor.NameResolution)
	require.NoError(t, node.Close())
	node = s.Node("a", goNode(t, "a@elsewhere", "127.0.0.1"))
	examine(t, d, "", doctor.OwnNameElsewhere)
	require.NoError(t, node.Close())
	node = s.Node("a", goNode(t, "a@alias", "127.0.0.1"))
	examine(t, d, "", doctor.PortWrongAddress)
	require.NoError(t, node.Close())
	port := goNode(t, "a@localhost", "127.0.0.1")
	s.Node("a", port)
	names["localhost"] = []string{"127.0.0.1"}
	d.Processes = runs(beam(7, "a@localhost", port))
	delete(names, "here") // no node has it in its name
	examine(t, d, "")
}

// broken makes connections to one address fail, after a while.
func broken(d *doctor.Doctor, address string, err error) {
	d.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
		switch {
		case !strings.HasPrefix(at, address):
			return new(net.Dialer).DialContext(ctx, network, at)
		case err == nil:
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, &net.OpError{Op: "dial", Err: err}
	}
}

// TestFirewall: what the system says of a connection is read beside the table of sockets
// and that of neighbours.
func TestFirewall(t *testing.T) {
	port := daemon(t, 0, "127.0.0.1")
	listens := func(at string, waiting int) func() ([]doctor.Listener, error) {
		return func() ([]doctor.Listener, error) {
			return []doctor.Listener{{At: netip.MustParseAddrPort(at), Waiting: waiting}}, nil
		}
	}
	all, one := fmt.Sprintf("0.0.0.0:%d", port), fmt.Sprintf("127.0.0.1:%d", port)
	there := netip.MustParseAddr("203.0.113.9")
	for _, c := range []struct {
		name    string
		target  string
		address string
		err     error
		listen  func() ([]doctor.Listener, error)
		present []bool
		want    doctor.Code
	}{
		{"own, refused, with a listener", "a@127.0.0.2", "127.0.0.2", syscall.ECONNREFUSED, listens(all, 0), nil, doctor.EPMDFiltered},
		{"own, refused, with another's queue full", "a@127.0.0.2", "127.0.0.2", syscall.ECONNREFUSED, listens(all, 3), nil, doctor.EPMDFiltered},
		{"own, refused, with a listener elsewhere", "a@127.0.0.2", "127.0.0.2", syscall.ECONNREFUSED, listens(one, 0), nil, doctor.WrongAddress},
		{"own, unheard", "a@127.0.0.2", "127.0.0.2", nil, listens(all, 0), nil, doctor.EPMDFiltered},
		{"own, unheard, without a table", "a@127.0.0.2", "127.0.0.2", nil, nil, nil, doctor.EPMDFiltered},
		{"own, unheard, with a full queue", "a@127.0.0.2", "127.0.0.2", nil, listens(all, 2), nil, doctor.EPMDSilent},
		{"own, no route", "a@127.0.0.2", "127.0.0.2", syscall.EHOSTUNREACH, listens(all, 0), nil, doctor.EPMDFiltered},
		{"own, no route, without a table", "a@127.0.0.2", "127.0.0.2", syscall.EHOSTUNREACH, nil, nil, doctor.EPMDFiltered},
		{"unheard", "a@203.0.113.9", "203", nil, nil, nil, doctor.EPMDFiltered},
		{"unheard, and no neighbour has it", "a@203.0.113.9", "203", nil, nil, []bool{false}, doctor.HostUnreachable},
		{"no route", "a@203.0.113.9", "203", syscall.EHOSTUNREACH, nil, nil, doctor.HostUnreachable},
		{"no network", "a@203.0.113.9", "203", syscall.ENETUNREACH, nil, nil, doctor.HostUnreachable},
		{"no route to a neighbour", "a@203.0.113.9", "203", syscall.EHOSTUNREACH, nil, []bool{true}, doctor.EPMDFiltered},
		{"not permitted", "a@203.0.113.9", "203", syscall.EPERM, nil, nil, doctor.EPMDFiltered},
		{"refused", "a@203.0.113.9", "203", syscall.ECONNREFUSED, nil, nil, doctor.EPMDUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDoctor(port)
			d.Timeout = short
			broken(d, c.address, c.err)
			if c.listen != nil {
				d.Listeners = c.listen
			}
			d.Neighbours = func() (all []doctor.Neighbour, err error) {
				for _, p := range c.present {
					all = append(all, doctor.Neighbour{Addr: there, Present: p})
				}
				return all, nil
			}
			examine(t, d, c.target, c.want)
		})
	}
}

// TestPortFirewall is the same for a node's port.
func TestPortFirewall(t *testing.T) {
	s := epmdtest.NewServer(t)
	port := freePort(t)
	s.Node("a", port)
	at := fmt.Sprintf("127.0.0.1:%d", port)
	for _, c := range []struct {
		name    string
		err     error
		listens string
		waiting int
		want    doctor.Code
	}{
		{"refused, with a listener", syscall.ECONNREFUSED, at, 0, doctor.PortFiltered},
		{"refused, with none", syscall.ECONNREFUSED, "0.0.0.0:9", 0, doctor.StaleRegistration},
		{"refused, with one elsewhere", syscall.ECONNREFUSED, fmt.Sprintf("127.0.0.3:%d", port), 0, doctor.PortWrongAddress},
		{"refused, with one of IPv6", syscall.ECONNREFUSED, fmt.Sprintf("[::]:%d", port), 0, doctor.IPv6Only},
		{"unheard", nil, at, 0, doctor.PortFiltered},
		{"unheard, with a full queue", nil, at, 5, doctor.HandshakeSilent},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDoctor(uint16(s.Port()))
			d.Timeout = short
			broken(d, at, c.err)
			d.Listeners = func() ([]doctor.Listener, error) {
				return []doctor.Listener{{At: netip.MustParseAddrPort(c.listens), Waiting: c.waiting}}, nil
			}
			examine(t, d, "a@127.0.0.1", c.want)
		})
	}
}

// TestDeadAddress: of two addresses of a host nobody has one.
func TestDeadAddress(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", goNode(t, "a@db1", "127.0.0.1"))
	d := newDoctor(uint16(s.Port()))
	d.Addrs = func() ([]netip.Addr, error) { return nil, nil }
	d.Resolver = hosts{"here": {"127.0.0.1"}, "db1": {"203.0.113.9", "198.51.100.9"}, "db2": {"198.51.100.9", "203.0.113.9"}}
	d.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
		if strings.HasPrefix(at, "203") {
			return nil, syscall.EHOSTUNREACH
		}
		_, port, err := net.SplitHostPort(at)
		require.NoError(t, err)
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}
	rep := examine(t, d, "a@db1", doctor.HostUnreachable)
	require.Contains(t, rep.Findings[0].Seen, "At 198.51.100.9:")
	examine(t, d, "a@db2", doctor.HostUnreachable, doctor.NodeNameMismatch)
}

// TestOwnAddress: the name of another host leads to an address of this machine.
func TestOwnAddress(t *testing.T) {
	s := epmdtest.NewServer(t)
	port := goNode(t, "b@alias", "127.0.0.1")
	s.Node("b", port)
	d := newDoctor(uint16(s.Port()))
	d.Addrs = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("198.51.100.2")}, nil }
	far(d, "198.51.100.2")
	d.Resolver = hosts{"here": {"198.51.100.2"}, "db1": {"198.51.100.2"}, "alias": {"198.51.100.2"}, "here.example.com": {"198.51.100.2"}}
	examine(t, d, "a@db1", doctor.ResolvesToLoopback, doctor.NameNotRegistered)
	examine(t, d, "b@alias")
	examine(t, d, "a@here.example.com", doctor.NameNotRegistered)
	d.Processes = runs(beam(7, "b@alias", port)) // so the alias is one
	examine(t, d, "a@alias", doctor.NameNotRegistered)
}

// webServer is one that waits for the end of a request.
func webServer(t *testing.T) uint16 {
	t.Helper()
	ln, port := listen(t, "127.0.0.1", 0)
	web := &http.Server{}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ln) }()
	t.Cleanup(func() {
		_ = web.Close()
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return port
}

// TestWebServer: one is told from what hangs long before the time is over.
func TestWebServer(t *testing.T) {
	t.Parallel()
	port := webServer(t)
	d := newDoctor(port)
	d.Timeout = time.Minute
	began := time.Now()
	rep := examine(t, d, "a@127.0.0.1", doctor.NotAnEPMD)
	require.Contains(t, rep.Findings[0].Seen, "a web server")

	s := epmdtest.NewServer(t)
	s.Node("web", port)
	d.Port = uint16(s.Port())
	rep = examine(t, d, "web@127.0.0.1", doctor.NotADistributionPort)
	require.Contains(t, rep.Findings[0].Seen, "a web server")
	require.Less(t, time.Since(began), 30*time.Second)
}

// TestEPMDsPort: nobody greets EPMD as a node.
func TestEPMDsPort(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", uint16(s.Port()))
	rep := examine(t, newDoctor(uint16(s.Port())), "a@127.0.0.1", doctor.NotADistributionPort)
	require.Contains(t, rep.Findings[0].Seen, "the port of an EPMD")
	require.Zero(t, s.Stats().Faults)
}

// TestManySilent: many nodes that say nothing take no longer than one.
func TestManySilent(t *testing.T) {
	t.Parallel()
	s := epmdtest.NewServer(t)
	const many = 20
	var want []doctor.Code
	for i := range many {
		_, port := listen(t, "127.0.0.1", 0)
		s.Node(fmt.Sprint("n", i), port)
		want = append(want, doctor.HandshakeSilent)
	}
	for i := range many {
		_, port := listen(t, "127.0.0.1", 0)
		register(t, "127.0.0.1", uint16(s.Port()), wire.Node{Name: fmt.Sprint("c", i), Port: port, Type: wire.NodeTypeHidden, Highest: 6, Lowest: 5})
	}
	d := newDoctor(uint16(s.Port()))
	d.Timeout = 3 * time.Second
	began := time.Now()
	rep := examine(t, d, "", want...) // of C nodes nothing
	require.Less(t, time.Since(began), 20*time.Second, "one after the other they would take longer")
	require.Len(t, rep.Unseen, many+1)
}

// TestWhole: an examination ends in its time, whatever says nothing.
func TestWhole(t *testing.T) {
	t.Parallel()
	d := newDoctor(freePort(t))
	d.Timeout = 3 * time.Second
	d.Resolver = mute{}
	broken(d, "", nil)
	began := time.Now()
	rep := examine(t, d, "a@db1", doctor.OwnNameResolution, doctor.NameResolution)
	require.Contains(t, rep.Findings[1].Seen, "nobody who knows names answered")
	require.Less(t, time.Since(began), 15*time.Second)
}

// mute is a resolver that nobody answers.
type mute struct{}

func (mute) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
