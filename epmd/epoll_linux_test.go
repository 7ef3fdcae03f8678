package epmd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
)

// rawClient makes requests with system calls alone, so that what a test measures
// is the server's.
type rawClient struct {
	to  unix.SockaddrInet4
	buf [1 << 16]byte
}

func newRawClient(tb testing.TB, r *running) *rawClient {
	tb.Helper()
	a, err := net.ResolveTCPAddr("tcp4", r.addr)
	require.NoError(tb, err)
	return &rawClient{to: unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}}
}

// ask makes a request and reads until n bytes have come, or all if n is 0. The
// descriptor is left open.
func (c *rawClient) ask(tb testing.TB, packet []byte, n int) int {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(tb, err)
	require.NoError(tb, unix.Connect(fd, &c.to))
	_, err = unix.Write(fd, packet)
	require.NoError(tb, err)
	for got := 0; n == 0 || got < n; {
		m, err := unix.Read(fd, c.buf[:])
		require.NoError(tb, err)
		if m == 0 {
			require.Zero(tb, n, "closed after %d bytes", got)
			break
		}
		got += m
	}
	return fd
}

// TestEpollAllocatesNothing: not a byte for lookups and lists, once the server has
// warmed up.
func TestEpollAllocatesNothing(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	s.register(t, "foo")
	c := newRawClient(t, s)
	for name, packet := range map[string]string{"lookup": "\x00\x04zfoo", "not found": "\x00\x04zbar", "names": "\x00\x01n"} {
		request := []byte(packet)
		allocs := testing.AllocsPerRun(500, func() {
			require.NoError(t, unix.Close(c.ask(t, request, 0)))
		})
		require.Zero(t, allocs, name)
	}
}

// TestEpollNoGoroutines: however many connections there are, of whatever kind, the
// server is one goroutine.
func TestEpollNoGoroutines(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	_, err := s.client().Names(ctx(t))
	require.NoError(t, err)
	before := runtime.NumGoroutine()
	for i := range 30 {
		s.register(t, fmt.Sprint(i))
		s.register(t, "0")
		s.dial(t)
	}
	require.Eventually(t, func() bool { return s.Stats().Conns == 90 }, patience, tick)
	// One more is that in which Eventually looks.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, patience, tick)
}

// TestKeepAlive: connections of registered nodes are probed, others are not.
func TestKeepAlive(t *testing.T) { onEngines(t, testKeepAlive) }

func testKeepAlive(t *testing.T, engine epmd.Engine) {
	for name, tt := range map[string]struct {
		set  time.Duration
		want int // seconds of silence; 0: no probes
	}{"default": {0, 60}, "set": {90 * time.Second, 90}, "longest": {100 * time.Hour, 32767}, "off": {-1, 0}} {
		t.Run(name, func(t *testing.T) {
			ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			s := runOn(t, &epmd.Server{Engine: engine, KeepAlive: tt.set}, ln)
			c, _ := s.register(t, "foo")
			fd := serverSide(t, c)
			probed := func() bool {
				on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
				require.NoError(t, err)
				return on == 1
			}
			if tt.want == 0 {
				require.False(t, probed())
				if engine == epmd.EngineEpoll { // which begins after a second
					require.Never(t, probed, 1500*time.Millisecond, 100*time.Millisecond)
				}
				return
			}
			require.Eventually(t, probed, patience, tick) // if it lasts a second
			for opt, want := range map[int]int{unix.TCP_KEEPIDLE: tt.want, unix.TCP_KEEPINTVL: 15, unix.TCP_KEEPCNT: 4} {
				got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, opt)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	silent := s.dial(t)
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
	on, err := unix.GetsockoptInt(serverSide(t, silent), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
	require.NoError(t, err)
	require.Zero(t, on)
}

// wrapper is a listener whose connections do not show what they wrap but by NetConn.
type wrapper struct{ net.Listener }

type wrapped struct {
	net.Conn
	under net.Conn
}

func (w wrapped) NetConn() net.Conn { return w.under }

func (w wrapper) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	return wrapped{c, c}, err
}

// embedder is a listener whose connections embed those of TCP.
type embedder struct{ net.Listener }

func (e embedder) Accept() (net.Conn, error) {
	c, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return struct{ *net.TCPConn }{c.(*net.TCPConn)}, nil
}

// TestKeepAliveWrapped: what wraps a TCP connection, TLS or a program's own, is probed as
// that is, since the name of a machine that is gone must become free.
func TestKeepAliveWrapped(t *testing.T) {
	secret := &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, InsecureSkipVerify: true}
	for name, wrap := range map[string]func(net.Listener) net.Listener{
		"TLS":       func(ln net.Listener) net.Listener { return tls.NewListener(ln, secret) },
		"NetConn":   func(ln net.Listener) net.Listener { return wrapper{ln} },
		"TLS twice": func(ln net.Listener) net.Listener { return tls.NewListener(wrapper{ln}, secret) },
		"embedded":  func(ln net.Listener) net.Listener { return embedder{ln} },
	} {
		t.Run(name, func(t *testing.T) {
			lc := net.ListenConfig{KeepAlive: -1}
			ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			s := runOn(t, new(epmd.Server), wrap(ln))
			client := s.client()
			var nc net.Conn
			client.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, address)
				if nc = c; err == nil && strings.HasPrefix(name, "TLS") {
					nc = tls.Client(c, secret)
				}
				return nc, err
			}
			r, err := client.Register(ctx(t), node("foo", 1))
			require.NoError(t, err)
			defer r.Close()
			fd := serverSide(t, nc)
			on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
			require.NoError(t, err)
			require.Equal(t, 1, on)
			for opt, want := range map[int]int{unix.TCP_KEEPIDLE: 60, unix.TCP_KEEPINTVL: 15, unix.TCP_KEEPCNT: 4} {
				got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, opt)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

// selfSigned is a certificate of nobody's.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serverSide finds the server's descriptor of a connection, in this process.
func serverSide(t *testing.T, c net.Conn) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, entry := range fds {
		var fd int
		_, err := fmt.Sscan(entry.Name(), &fd)
		require.NoError(t, err)
		sa, err := unix.Getpeername(fd)
		if in, ok := sa.(*unix.SockaddrInet4); err == nil && ok && in.Port == c.LocalAddr().(*net.TCPAddr).Port {
			return fd
		}
	}
	require.Fail(t, "the server has no such connection")
	return -1
}

// TestCutListIsReset: a list whose reader has no place to wait is cut by a reset, since a
// part that ends in good order would look like the whole. (The portable engine gives a
// place when it accepts.)
func TestCutListIsReset(t *testing.T) {
	t.Parallel()
	server := &epmd.Server{Engine: epmd.EngineEpoll, MaxConnsPerPeer: 100, MaxUnfinished: 4}
	stop := stopsLoop(server)
	s := run(t, server)
	s.fill(t)
	s.dialFrom(t, "127.0.0.2")
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
	resume := stop(t, s)
	c := s.dialFrom(t, "127.0.0.2")
	require.NoError(t, c.(*net.TCPConn).SetReadBuffer(4096))
	_, err := c.Write([]byte("\x00\x01n"))
	require.NoError(t, err)
	resume()
	require.Eventually(t, func() bool { return s.Stats().LimitPeer == 1 }, patience, tick)
	_, err = io.ReadAll(c)
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// TestNoFilesLeft: with no descriptor left the server lives, registered nodes stay,
// newcomers are closed at once and counted, and service resumes by itself.
func TestNoFilesLeft(t *testing.T) { onEngines(t, testNoFilesLeft) }

func testNoFilesLeft(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	registered, _ := s.register(t, "foo")
	c := newRawClient(t, s)
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(client) })
	give := useUpFiles(t, 0)
	require.NoError(t, unix.Connect(client, &c.to))
	n, err := unix.Read(client, c.buf[:])
	require.True(t, n == 0 || err == syscall.ECONNRESET, "closed at once: %d, %v", n, err)
	require.Positive(t, s.Stats().AcceptErrors)
	give()
	_, resp := s.register(t, "bar")
	require.Zero(t, resp.Result)
	s.requireOpen(t, registered)
}

// useUpFiles opens files until only so many more can be, under a limit of its own, and gives
// a function that undoes it.
func useUpFiles(t *testing.T, more int) func() {
	t.Helper()
	var before unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &before))
	few := before
	few.Cur = 256
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &few))
	var files []int
	for {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			break
		}
		files = append(files, fd)
	}
	for ; more > 0; more-- {
		require.NoError(t, unix.Close(files[0]))
		files = files[1:]
	}
	give := func() {
		for _, fd := range files {
			_ = unix.Close(fd)
		}
		files = nil
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &before))
	}
	t.Cleanup(give)
	return give
}

// TestMaxPendingBytes: of those that do not read long lists, the one that has
// waited longest is closed when they take up too much; others go on.
func TestMaxPendingBytes(t *testing.T) { onEngines(t, testMaxPendingBytes) }

func testMaxPendingBytes(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MaxPendingBytes: 20 << 20})
	for i := range 60_000 { // 15.6 MB, of which socket buffers take some
		_, _, err := s.RegisterLocal(node(fmt.Sprintf("%s%d", strings.Repeat("n", 240), i), 1))
		require.NoError(t, err)
	}
	var slow []net.Conn
	for i := range 3 {
		c := s.dial(t)
		_, err := c.Write([]byte("\x00\x01n"))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return s.Stats().Names == uint64(i+1) }, patience, tick)
		slow = append(slow, c)
	}
	require.Eventually(t, func() bool { return s.Stats().LimitPending == 2 }, patience, tick)
	_, err := s.client().Lookup(ctx(t), strings.Repeat("n", 240)+"17")
	require.NoError(t, err)
	b, err := io.ReadAll(slow[2])
	require.NoError(t, err)
	require.Greater(t, len(b), 15_000_000, "whoever came last has it all")
	require.Eventually(t, func() bool { return s.Stats().Conns == 0 }, patience, tick)
}

// TestFilesAreRaised: the process may open as many files as the system lets it.
func TestFilesAreRaised(t *testing.T) {
	var l unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &l))
	require.Equal(t, l.Max, l.Cur, "Go's os package raises the soft limit")
}

// TestEpollListenerBlocks: that a listening socket blocks, as another who has it too may
// have it, does not stop the server.
func TestEpollListenerBlocks(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	require.NoError(t, unix.SetNonblock(int(f.Fd()), false))
	defer func() { require.NoError(t, f.Close()) }()
	s := runOn(t, &epmd.Server{Engine: epmd.EngineEpoll}, ln)
	c, _ := s.register(t, "foo")
	names, err := s.client().Names(ctx(t))
	require.NoError(t, err)
	require.Len(t, names.Nodes, 1)
	s.requireOpen(t, c)
}

// BenchmarkRegistered holds 8,000 registered nodes and tells the server's live heap
// for each.
func BenchmarkRegistered(b *testing.B) {
	const nodes = 8000
	for b.Loop() {
		s := run(b, &epmd.Server{Engine: epmd.EngineEpoll})
		c := newRawClient(b, s)
		before := liveHeap()
		fds := make([]int, nodes)
		for i := range fds {
			packet, err := node(fmt.Sprintf("node%d", i), 1000).AppendAlive2Req(nil)
			require.NoError(b, err)
			fds[i] = c.ask(b, packet, 6)
		}
		b.ReportMetric(float64(liveHeap()-before)/nodes, "B/node")
		require.NoError(b, s.Close())
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
