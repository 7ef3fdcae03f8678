package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/internal/otptest"
)

// The set-ups here are made of OTP's own programs, and of what Linux tells of them.

// realDoctor looks at the processes of this machine, too. It finds the daemons of other
// tests, so each test asks for a name of its own.
func realDoctor(port uint16) *doctor.Doctor {
	d := newDoctor(port)
	d.Processes, d.Listeners = nil, nil
	return d
}

// otpEPMD is OTP's epmd at one port of the loopback addresses and these.
func otpEPMD(t *testing.T, addresses ...string) (port uint16, pid int) {
	t.Helper()
	port = freePort(t)
	cmd := program(t, otptest.Epmd(t), port, "-address", strings.Join(append([]string{"127.0.0.1"}, addresses...), ","))
	return port, cmd.PID()
}

// erl starts a node.
func erl(t *testing.T, name string, port uint16, args ...string) *otptest.Node {
	t.Helper()
	return otptest.StartNode(t, otptest.NodeConfig{Name: name, Port: int(port), Args: args})
}

// pid is the process of a node.
func pid(t *testing.T, n *otptest.Node) int {
	t.Helper()
	p, err := strconv.Atoi(strings.Trim(n.Eval("os:getpid()"), `"`))
	require.NoError(t, err)
	return p
}

// stopped stops a process, which holds all that it has, until the test ends.
func stopped(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	t.Cleanup(func() { require.NoError(t, syscall.Kill(pid, syscall.SIGCONT)) })
}

// TestNode takes one real node through what it can be found to be.
func TestNode(t *testing.T) {
	t.Parallel()
	port, epmdPID := otpEPMD(t)
	n := erl(t, "patient@127.0.0.1", port)
	hidden := "[N || N <- nodes(hidden)]"

	examine(t, realDoctor(port), "patient@127.0.0.1")
	require.Equal(t, "[]", n.Eval("%s", hidden), "nobody came to see it")

	withCookie := realDoctor(port)
	withCookie.Cookie = cookie
	examine(t, withCookie, "patient@127.0.0.1")
	withCookie.Cookie = "another"
	examine(t, withCookie, "patient@127.0.0.1", doctor.CookieMismatch)

	overTLS := realDoctor(port)
	overTLS.TLS = true
	overTLS.Timeout = 2 * time.Second // a plain node waits for the rest of a message
	examine(t, overTLS, "patient@127.0.0.1", doctor.PlainPort)

	t.Run("ERL_EPMD_PORT on one side only", func(t *testing.T) {
		other, _ := otpEPMD(t)
		d := realDoctor(other)
		rep := examine(t, d, "patient@127.0.0.1", doctor.PortMismatchEnv)
		require.Contains(t, rep.Findings[0].Seen, fmt.Sprintf("ERL_EPMD_PORT=%d (process %d)", port, pid(t, n)))
	})
	t.Run("another name", func(t *testing.T) {
		d := realDoctor(port)
		d.Resolver = hosts{"here": {"127.0.0.1"}}
		examine(t, d, "patient@here", doctor.NodeNameMismatch)
	})
	t.Run("an EPMD that hangs", func(t *testing.T) {
		d := realDoctor(port)
		d.Timeout = short
		stopped(t, epmdPID)
		examine(t, d, "patient@127.0.0.1", doctor.EPMDSilent)
	})
	t.Run("at another port, with no name given", func(t *testing.T) {
		other, otherPID := otpEPMD(t)
		d := realDoctor(other)
		d.Processes = doctor.ProcessesOf(pid(t, n), otherPID)
		rep := examine(t, d, "", doctor.PortMismatchEnv)
		require.Contains(t, rep.Findings[0].Seen, fmt.Sprintf("ERL_EPMD_PORT=%d (process %d)", port, pid(t, n)))
	})
	t.Run("a node that allows others only", func(t *testing.T) {
		require.Equal(t, "ok", n.Eval("net_kernel:allow(['friend@127.0.0.1'])"))
		rep := examine(t, realDoctor(port), "patient@127.0.0.1")
		require.Contains(t, rep.Unseen[0], "takes certain nodes only")
		all := realDoctor(port)
		all.Processes = doctor.ProcessesOf(pid(t, n), epmdPID)
		examine(t, all, "")
		as := realDoctor(port)
		as.As = "friend@127.0.0.1"
		examine(t, as, "patient@127.0.0.1")
		as.As = "stranger@127.0.0.1"
		rep = examine(t, as, "patient@127.0.0.1", doctor.NotAllowed)
		require.Contains(t, rep.Findings[0].Seen, "refuses stranger@127.0.0.1")
	})
	t.Run("the connection of who is asked as stays", func(t *testing.T) {
		friend := erl(t, "friend@127.0.0.1", port, "-hidden")
		require.Equal(t, "pong", friend.Eval("net_adm:ping('patient@127.0.0.1')"))
		require.Equal(t, "ok", friend.Eval("erlang:monitor_node('patient@127.0.0.1', true), ok"))
		as := realDoctor(port)
		as.As, as.Cookie = "friend@127.0.0.1", cookie
		rep := examine(t, as, "patient@127.0.0.1")
		require.Contains(t, rep.Steps[len(rep.Steps)-1].Seen, "it is connected with friend@127.0.0.1")
		require.Equal(t, "stays", friend.Eval("receive {nodedown, _} -> gone after 500 -> stays end"))
	})
	t.Run("a node that hangs", func(t *testing.T) {
		d := realDoctor(port)
		d.Timeout = short
		stopped(t, pid(t, n))
		examine(t, d, "patient@127.0.0.1", doctor.HandshakeSilent)
	})
}

// TestShortName: a node with -sname is asked for by its address.
func TestShortName(t *testing.T) {
	port, _ := otpEPMD(t)
	n := erl(t, "s", port)
	rep := examine(t, realDoctor(port), "s@127.0.0.1", doctor.NodeNameMismatch)
	require.Contains(t, rep.Findings[0].Seen, n.Name)
	require.Contains(t, rep.Findings[0].Do, "do not mix")

	// As it is called, and on the whole machine, all is well.
	_, host, _ := strings.Cut(n.Name, "@")
	d := realDoctor(port)
	d.Hostname = func() (string, error) { return host, nil }
	d.Resolver = hosts{host: {"127.0.0.1"}}
	examine(t, d, n.Name)
	examine(t, d, "s")
	d.Processes = doctor.ProcessesOf(pid(t, n))
	examine(t, d, "")
}

// TestNotListening: a node that runs, and that EPMD does not know.
func TestNotListening(t *testing.T) {
	t.Parallel()
	port, _ := otpEPMD(t)
	n := erl(t, "quiet@127.0.0.1", port, "-dist_listen", "false")
	d := realDoctor(port)
	rep := examine(t, d, "quiet@127.0.0.1", doctor.NotListening)
	require.Contains(t, rep.Findings[0].Seen, strconv.Itoa(pid(t, n)))
	d.Processes = doctor.ProcessesOf(pid(t, n))
	examine(t, d, "") // it was told so
}

// TestOtherInterface: a node that listens on an address to which its name does not lead.
func TestOtherInterface(t *testing.T) {
	port, _ := otpEPMD(t)
	erl(t, "w@127.0.0.1", port, "-kernel", "inet_dist_use_interface", "{127,0,0,3}")
	rep := examine(t, realDoctor(port), "w@127.0.0.1", doctor.PortWrongAddress)
	require.Contains(t, rep.Findings[0].Seen, "127.0.0.3:")
}

// TestDeadNode: a node is killed, and what passes its connection on to EPMD keeps the
// name.
func TestDeadNode(t *testing.T) {
	port, _ := otpEPMD(t)
	ln, proxy := listen(t, "127.0.0.1", 0)
	serve(t, ln, func(c net.Conn) {
		up, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
		if err != nil {
			_ = c.Close()
			return
		}
		t.Cleanup(func() { _ = up.Close() })
		go func() { _, _ = io.Copy(up, c) }() // the end of the node is not passed on
		_, _ = io.Copy(c, up)
		_ = c.Close()
	})
	n := erl(t, "dead@127.0.0.1", proxy)
	examine(t, realDoctor(port), "dead@127.0.0.1")
	n.Kill()
	examine(t, realDoctor(port), "dead@127.0.0.1", doctor.StaleRegistration)
}

// TestOTPAddress: OTP's epmd with -address, and a name that leads elsewhere.
func TestOTPAddress(t *testing.T) {
	port, _ := otpEPMD(t, "127.0.0.3")
	d := realDoctor(port)
	d.Resolver = hosts{"here": {"127.0.0.2"}}
	examine(t, d, "otp_address@here", doctor.WrongAddress)
	d.Processes = doctor.ProcessesOf()
	examine(t, d, "", doctor.WrongAddress)
}

// TestTwoPrograms: two daemons that know the same nodes, none, are told by their
// processes.
func TestTwoPrograms(t *testing.T) {
	port, pid := otpEPMD(t)
	daemon(t, port, "127.0.0.2")
	d := realDoctor(port)
	d.Processes = doctor.ProcessesOf(pid, os.Getpid())
	d.Resolver = hosts{"here": {"127.0.0.2"}}
	rep := examine(t, d, "", doctor.TwoEPMDs)
	require.Contains(t, rep.Findings[0].Seen, fmt.Sprintf("epmd (process %d)", pid))
	require.Contains(t, rep.Findings[0].Seen, fmt.Sprintf("(process %d)", os.Getpid()))
}

// full is a port whose queue of connections is full, as that of a program that hangs.
func full(t *testing.T, port uint16) uint16 {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	// Connections of whoever had the port before may rest in the system.
	require.NoError(t, syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))
	for range 10 {
		c, err := net.DialTimeout("tcp", at, 500*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Fatal("the queue takes more than it should")
	return 0
}

// TestFull: to who connects that looks like a firewall.
func TestFull(t *testing.T) {
	t.Parallel()
	d := realDoctor(full(t, freePort(t)))
	d.Timeout = short
	rep := examine(t, d, "full@127.0.0.1", doctor.EPMDSilent)
	require.Contains(t, rep.Findings[0].Seen, fmt.Sprintf("(process %d)", os.Getpid()))

	port := daemon(t, 0, "127.0.0.1")
	register(t, "127.0.0.1", port, node("full", full(t, freePort(t))))
	d = realDoctor(port)
	d.Timeout = short
	examine(t, d, "full@127.0.0.1", doctor.HandshakeSilent)

	d.Listeners = func() ([]doctor.Listener, error) { return nil, nil } // where the system does not tell
	examine(t, d, "full@127.0.0.1", doctor.PortFiltered)
}

// certificate writes a certificate and its key to one file.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "doctor's test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	path := filepath.Join(t.TempDir(), "node.pem")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// TestTLSNode: a node with -proto_dist inet_tls, to those who speak that and others; once
// it takes anybody, and once it wants a certificate.
func TestTLSNode(t *testing.T) {
	t.Parallel()
	port, _ := otpEPMD(t)
	file := certificate(t)
	tls := []string{"-proto_dist", "inet_tls", "-ssl_dist_opt", "server_certfile", file}
	erl(t, "open@127.0.0.1", port, tls...)
	erl(t, "strict@127.0.0.1", port, append(tls,
		"-ssl_dist_opt", "server_cacertfile", file, "-ssl_dist_opt", "server_verify", "verify_peer",
		"-ssl_dist_opt", "server_fail_if_no_peer_cert", "true")...)
	for _, name := range []string{"open", "strict"} {
		d := realDoctor(port)
		examine(t, d, name+"@127.0.0.1", doctor.TLSPort)
		d.TLS = true
		rep := examine(t, d, name+"@127.0.0.1")
		require.Contains(t, rep.Steps[len(rep.Steps)-1].Seen, map[string]string{
			"open": "it is open@127.0.0.1, by TLS", "strict": "it speaks TLS, and wants a certificate",
		}[name])
	}
	d := realDoctor(port)
	d.Processes = doctor.ProcessesOf()
	examine(t, d, "") // nobody said that this side does not speak it
	d.TLS = true
	d.Cookie = "another"
	examine(t, d, "open@127.0.0.1", doctor.CookieMismatch)
}

// TestOwnNetwork: an address of this machine that is no loopback, with all as it is by
// default.
func TestOwnNetwork(t *testing.T) {
	t.Parallel()
	own := ""
	addrs, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range addrs {
		ip := netip.MustParsePrefix(a.String()).Addr()
		if ip.Is4() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			own = ip.String()
		}
	}
	if own == "" {
		t.Skip("SKIPPED: this machine has no IPv4 address besides loopback; scripts/netns.sh gives one")
	}
	port, _ := otpEPMD(t, own)
	d := realDoctor(port)
	d.Resolver = hosts{"here": {own}}
	erl(t, "n@"+own, port)
	examine(t, d, "n@"+own)
	only := daemon(t, 0, "127.0.0.1")
	d = realDoctor(only)
	d.Processes = doctor.ProcessesOf()
	d.Resolver = hosts{"here": {own}}
	examine(t, d, "", doctor.WrongAddress)
	examine(t, d, "m@here", doctor.WrongAddress)
}
