package doctor_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/wire"
)

func TestHealthy(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", goNode(t, "a@127.0.0.1", "127.0.0.1"))
	old := s.Node("b", goNode(t, "b@here", "127.0.0.1"))
	require.True(t, old.Held())
	d := newDoctor(uint16(s.Port()))
	var steps []doctor.Step
	d.Progress = func(s doctor.Step) { steps = append(steps, s) }
	rep := examine(t, d, "a@127.0.0.1")
	require.Len(t, steps, 2*len(rep.Steps), "each step is told as it begins and as it ends")
	require.Empty(t, steps[0].Status)
	require.Equal(t, rep.Steps[0], steps[1])

	examine(t, d, "b")
	examine(t, d, "b@here")
	rep = examine(t, d, "")
	var looked int
	for _, s := range rep.Steps {
		if s.ID == doctor.StepHandshake {
			looked++
		}
	}
	require.Equal(t, 2, looked)
	d.Cookie = cookie
	rep = examine(t, d, "a@127.0.0.1")
	require.Equal(t, doctor.StepCookie, rep.Steps[len(rep.Steps)-1].ID)
}

// TestJSON: a healthy report has lists, not null.
func TestJSON(t *testing.T) {
	rep, err := new(doctor.Doctor).Examine(t.Context(), "a@b@c")
	require.ErrorIs(t, err, doctor.ErrTarget)
	b, err := json.Marshal(rep)
	require.NoError(t, err)
	require.JSONEq(t, `{"target": "a@b@c", "port": 4369, "steps": [], "findings": [], "unseen": []}`, string(b))
}

func TestTarget(t *testing.T) {
	for _, target := range []string{"@", "@host", "a@", "a@b@c", "a\x00b@host", string(make([]byte, 300)) + "@host"} {
		_, err := new(doctor.Doctor).Examine(t.Context(), target)
		require.ErrorIs(t, err, doctor.ErrTarget, "%q", target)
	}
}

// TestContext: what an ended examination has not seen is no finding.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := newDoctor(freePort(t))
	d.Progress = func(s doctor.Step) {
		if s.ID == doctor.StepEPMD {
			cancel()
		}
	}
	rep, err := d.Examine(ctx, "a@127.0.0.1")
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, rep.Findings)
	require.Len(t, rep.Steps, 1, "only the step before")
}

// TestCodes: no code is missing from the list, and none is there twice.
func TestCodes(t *testing.T) {
	seen := make(map[doctor.Code]bool)
	for _, c := range doctor.Codes() {
		require.False(t, seen[c], c)
		seen[c] = true
	}
	require.Len(t, seen, 32)
}

// Names.

func TestNameResolution(t *testing.T) {
	s := epmdtest.NewServer(t)
	rep := examine(t, newDoctor(uint16(s.Port())), "a@nowhere.example.com", doctor.NameResolution)
	require.Contains(t, rep.Findings[0].Do, "-name")
}

func TestOwnName(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", goNode(t, "a@here", "127.0.0.1"))
	d := newDoctor(uint16(s.Port()))
	d.Addrs = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("198.51.100.2")}, nil }
	far(d, "198.51.100.2")
	d.Resolver = hosts{"here": {"198.51.100.2"}}
	examine(t, d, "")

	d.Resolver = hosts{"other": {"127.0.0.1"}}
	examine(t, d, "", doctor.OwnNameResolution)

	d.Resolver = hosts{"here": {"203.0.113.7"}}
	examine(t, d, "", doctor.OwnNameElsewhere)

	d.Hostname = func() (string, error) { return "", errors.New("nobody gave me one") }
	examine(t, d, "", doctor.OwnNameResolution, doctor.OwnNameElsewhere) // the node's name has an address
}

// TestResolvesToLoopback: the name of another host stands in /etc/hosts beside 127.0.1.1.
func TestResolvesToLoopback(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", goNode(t, "a@here", "127.0.0.1"))
	d := newDoctor(uint16(s.Port()))
	d.Resolver = hosts{"here": {"127.0.0.1"}, "db1": {"127.0.0.1"}}
	examine(t, d, "a@db1", doctor.ResolvesToLoopback, doctor.NodeNameMismatch)
	examine(t, d, "b@db1", doctor.ResolvesToLoopback, doctor.NameNotRegistered)
}

func TestIPv6Only(t *testing.T) {
	needIPv6(t)
	t.Run("host", func(t *testing.T) {
		port := daemon(t, 0, "127.0.0.1", "::1")
		d := newDoctor(port)
		d.Resolver = hosts{"here": {"127.0.0.1"}, "six": {"::1"}}
		examine(t, d, "a@six", doctor.IPv6Only)
		d.Resolver = hosts{"here": {"fd00::5"}}
		examine(t, d, "", doctor.IPv6Only)
	})
	t.Run("EPMD", func(t *testing.T) {
		port := daemon(t, 0, "127.0.0.1")
		d := newDoctor(port)
		d.Addrs = func() ([]netip.Addr, error) { return nil, nil }
		d.Resolver = hosts{"here": {"127.0.0.1"}, "both": {"198.51.100.9", "2001:db8::9"}}
		d.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
			a := netip.MustParseAddrPort(at)
			switch a.Addr().String() {
			case "198.51.100.9": // refuses
				a = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), freePort(t))
			case "2001:db8::9":
				a = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), a.Port())
			}
			return new(net.Dialer).DialContext(ctx, network, a.String())
		}
		examine(t, d, "a@both", doctor.IPv6Only)
	})
	t.Run("node", func(t *testing.T) {
		port := daemon(t, 0, "127.0.0.1", "::1")
		register(t, "127.0.0.1", port, node("a", goNode(t, "a@localhost", "::1")))
		d := newDoctor(port)
		examine(t, d, "a@localhost", doctor.IPv6Only)
		d.IPv6 = true
		d.Resolver = hosts{"localhost": {"127.0.0.1", "::1"}}
		examine(t, d, "a@localhost")
	})
	t.Run("all nodes of this machine", func(t *testing.T) {
		port := daemon(t, 0, "::1")
		at := goNode(t, "a@six", "::1")
		register(t, "::1", port, node("a", at))
		d := newDoctor(port)
		d.Resolver = hosts{"six": {"::1"}}
		d.Processes = runs(doctor.Process{PID: 7, Program: "beam.smp", Node: "a@six", IPv6: true, Listens: []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Loopback(), at)}})
		examine(t, d, "") // though nobody said that this side uses IPv6
	})
}

func TestIPv4Only(t *testing.T) {
	needIPv6(t)
	port := daemon(t, 0, "127.0.0.1", "::1")
	register(t, "127.0.0.1", port, node("a", goNode(t, "a@localhost", "127.0.0.1")))
	d := newDoctor(port)
	d.IPv6 = true
	d.Resolver = hosts{"four": {"127.0.0.1"}, "localhost": {"127.0.0.1", "::1"}, "here": {"::1"}}
	examine(t, d, "a@four", doctor.IPv4Only)
	examine(t, d, "a@localhost", doctor.IPv4Only)
}

// EPMD.

func TestEPMDUnreachable(t *testing.T) {
	d := newDoctor(freePort(t))
	examine(t, d, "a@127.0.0.1", doctor.EPMDUnreachable)
	examine(t, d, "", doctor.EPMDUnreachable)
	far(d, "198.51.100.9")
	examine(t, d, "a@198.51.100.9", doctor.EPMDUnreachable)
}

// TestEPMDCloses: a real daemon that takes no more connections from this machine.
func TestEPMDCloses(t *testing.T) {
	s := epmdtest.NewServer(t, func(s *epmd.Server) { s.MaxConnsPerPeer = 1 })
	s.Node("a", 1)
	examine(t, newDoctor(uint16(s.Port())), "a@127.0.0.1", doctor.EPMDCloses)
}

func TestNotAnEPMD(t *testing.T) {
	ln, port := listen(t, "127.0.0.1", 0)
	serve(t, ln, func(c net.Conn) {
		_, _ = io.WriteString(c, "220 mail.example.com ready\r\n") // the doctor says what it saw
		_, _ = c.Read(make([]byte, 100))
		_ = c.Close()
	})
	rep := examine(t, newDoctor(port), "a@127.0.0.1", doctor.NotAnEPMD)
	require.Contains(t, rep.Findings[0].Seen, "32 32 30") // 220
}

func TestWrongAddress(t *testing.T) {
	port := daemon(t, 0, "127.0.0.1")
	register(t, "127.0.0.1", port, node("a", goNode(t, "a@127.0.0.1", "127.0.0.1")))
	d := newDoctor(port)
	t.Run("the name leads elsewhere", func(t *testing.T) {
		examine(t, d, "a@127.0.0.2", doctor.WrongAddress)
	})
	t.Run("one of the addresses", func(t *testing.T) {
		d := newDoctor(port)
		d.Resolver = hosts{"here": {"127.0.0.1", "127.0.0.2"}}
		examine(t, d, "a@here", doctor.WrongAddress, doctor.NodeNameMismatch)
	})
	t.Run("the own name leads elsewhere", func(t *testing.T) {
		d := newDoctor(port)
		d.Resolver = hosts{"here": {"127.0.0.2"}}
		examine(t, d, "", doctor.WrongAddress)
	})
	t.Run("not where nodes register", func(t *testing.T) {
		other := daemon(t, 0, "127.0.0.2")
		register(t, "127.0.0.2", other, node("b", goNode(t, "b@127.0.0.2", "127.0.0.2")))
		examine(t, newDoctor(other), "b@127.0.0.2", doctor.WrongAddress)
	})
}

// TestTwoEPMDs: without a look at processes, by what they know.
func TestTwoEPMDs(t *testing.T) {
	port := daemon(t, 0, "127.0.0.1")
	daemon(t, port, "127.0.0.2")
	d := newDoctor(port)
	d.Resolver = hosts{"here": {"127.0.0.2"}}
	register(t, "127.0.0.1", port, node("a", goNode(t, "a@here", "127.0.0.2")))
	rep := examine(t, d, "a@here", doctor.TwoEPMDs)
	require.Contains(t, rep.Findings[0].Seen, "the one knows no node at all, the other a")
	examine(t, d, "", doctor.TwoEPMDs)

	// From elsewhere, where the name leads to both.
	d = newDoctor(port)
	d.Addrs = func() ([]netip.Addr, error) { return nil, nil }
	d.Resolver = hosts{"here": {"127.0.0.1"}, "both": {"198.51.100.1", "198.51.100.2"}}
	d.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
		a := netip.MustParseAddrPort(at)
		if ip := a.Addr(); !ip.IsLoopback() {
			a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, ip.As4()[3]}), a.Port())
		}
		return new(net.Dialer).DialContext(ctx, network, a.String())
	}
	examine(t, d, "a@both", doctor.TwoEPMDs)
}

func TestPortMismatch(t *testing.T) {
	one, other := epmdtest.NewServer(t), epmdtest.NewServer(t)
	other.Node("a", goNode(t, "a@127.0.0.1", "127.0.0.1"))
	d := newDoctor(uint16(one.Port()))
	d.PortFrom = "ERL_EPMD_PORT"
	d.AlsoPorts = []uint16{uint16(other.Port())}
	rep := examine(t, d, "a@127.0.0.1", doctor.PortMismatchEnv)
	require.Contains(t, rep.Findings[0].Seen, "(ERL_EPMD_PORT)")
	d.Port = freePort(t) // nobody there
	examine(t, d, "a@127.0.0.1", doctor.PortMismatchEnv)
	d.Port = uint16(one.Port())
	examine(t, d, "b@127.0.0.1", doctor.NameNotRegistered)
}

// TestOtherPorts: what nodes of the name are told comes before what a crowd of others
// gives away, and an EPMD that hangs holds nobody up.
func TestOtherPorts(t *testing.T) {
	t.Parallel()
	one, other := epmdtest.NewServer(t), epmdtest.NewServer(t)
	other.Node("a", goNode(t, "a@127.0.0.1", "127.0.0.1"))
	hangs, _ := listen(t, "127.0.0.1", 0)
	d := newDoctor(uint16(one.Port()))
	d.Timeout = short
	d.Processes = func() ([]doctor.Process, error) {
		var crowd []doctor.Process
		for range 20 {
			crowd = append(crowd, doctor.Process{Program: "epmd", Listens: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), freePort(t))}})
		}
		crowd = append(crowd,
			doctor.Process{Program: "epmd", Listens: []netip.AddrPort{netip.MustParseAddrPort(hangs.Addr().String())}},
			doctor.Process{Program: "beam.smp", Node: "b", EPMDPort: "nonsense"},
			doctor.Process{PID: 7, Program: "beam.smp", Node: "a@127.0.0.1", EPMDPort: strconv.Itoa(other.Port())})
		return crowd, nil
	}
	rep := examine(t, d, "a@127.0.0.1", doctor.PortMismatchEnv)
	require.Contains(t, rep.Findings[0].Seen, "(process 7)")
}

// The name.

func TestNameNotRegistered(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("Rabbit", 1)
	rep := examine(t, newDoctor(uint16(s.Port())), "rabbit@127.0.0.1", doctor.NameNotRegistered)
	require.Contains(t, rep.Findings[0].Seen, "Capital letters matter")
}

func TestVersionMismatch(t *testing.T) {
	s := epmdtest.NewServer(t)
	n := node("a", 1)
	n.Highest, n.Lowest = 4, 3
	register(t, "127.0.0.1", uint16(s.Port()), n)
	examine(t, newDoctor(uint16(s.Port())), "a@127.0.0.1", doctor.VersionMismatch)
}

// The port.

func TestStaleRegistration(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", freePort(t))
	examine(t, newDoctor(uint16(s.Port())), "a@127.0.0.1", doctor.StaleRegistration)
}

func TestPortRefused(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", freePort(t))
	d := newDoctor(uint16(s.Port()))
	far(d, "198.51.100.9")
	examine(t, d, "a@198.51.100.9", doctor.PortRefused)
}

func TestNotADistributionPort(t *testing.T) {
	s := epmdtest.NewServer(t)
	t.Run("a web server", func(t *testing.T) {
		ln, port := listen(t, "127.0.0.1", 0)
		web := &http.Server{ReadHeaderTimeout: 500 * time.Millisecond}
		ended := make(chan error, 1)
		go func() { ended <- web.Serve(ln) }()
		t.Cleanup(func() {
			_ = web.Close()
			require.ErrorIs(t, <-ended, http.ErrServerClosed)
		})
		s.Node("web", port)
		rep := examine(t, newDoctor(uint16(s.Port())), "web@127.0.0.1", doctor.NotADistributionPort)
		require.NotEmpty(t, rep.Findings[0].Seen)
	})
	t.Run("one that greets", func(t *testing.T) {
		ln, port := listen(t, "127.0.0.1", 0)
		serve(t, ln, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n") })
		s.Node("ssh", port)
		rep := examine(t, newDoctor(uint16(s.Port())), "ssh@127.0.0.1", doctor.NotADistributionPort)
		require.Contains(t, rep.Findings[0].Seen, "SSH-2.0")
	})
	t.Run("one that closes", func(t *testing.T) {
		ln, port := listen(t, "127.0.0.1", 0)
		serve(t, ln, func(c net.Conn) { _ = c.Close() })
		s.Node("closed", port)
		rep := examine(t, newDoctor(uint16(s.Port())), "closed@127.0.0.1", doctor.NotADistributionPort)
		require.Contains(t, rep.Findings[0].Seen, "without a word")
	})
}

func TestHandshakeSilent(t *testing.T) {
	t.Parallel()
	s := epmdtest.NewServer(t)
	ln, port := listen(t, "127.0.0.1", 0) // the system takes connections for it
	s.Node("a", port)
	d := newDoctor(uint16(s.Port()))
	d.Timeout = short
	examine(t, d, "a@127.0.0.1", doctor.HandshakeSilent)
	require.NoError(t, ln.Close())
}

func TestNodeNameMismatch(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", goNode(t, "a@here.example.com", "127.0.0.1"))
	s.Node("b", goNode(t, "c@here", "127.0.0.1"))
	d := newDoctor(uint16(s.Port()))
	rep := examine(t, d, "a@here", doctor.NodeNameMismatch)
	require.Contains(t, rep.Findings[0].Do, "do not mix")
	examine(t, d, "", doctor.NodeNameMismatch)
}

func TestCookieMismatch(t *testing.T) {
	s := epmdtest.NewServer(t)
	n := wire.Node{Name: "a", Port: goNode(t, "a@127.0.0.1", "127.0.0.1"), Type: wire.NodeTypeHidden, Highest: 5, Lowest: 5}
	register(t, "127.0.0.1", uint16(s.Port()), n)
	d := newDoctor(uint16(s.Port()))
	d.Cookie = "another"
	examine(t, d, "a@127.0.0.1", doctor.CookieMismatch)
	d.Cookie = cookie
	examine(t, d, "a@127.0.0.1")
}

// TestTimeout: a question without bound is asked all the same.
func TestTimeout(t *testing.T) {
	s := epmdtest.NewServer(t)
	d := newDoctor(uint16(s.Port()))
	d.Timeout = -time.Second
	examine(t, d, "a@127.0.0.1", doctor.NameNotRegistered)
}
