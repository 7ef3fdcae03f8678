package bench

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// answering is the port of a server that reads a request and answers so, and then
// closes; a nil answer resets. It tells where its clients come from.
func answering(t *testing.T, answer []byte) (port uint16, from <-chan netip.Addr) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ln.Close()) })
	addr := netip.MustParseAddrPort(ln.Addr().String())
	seen := make(chan netip.Addr, 10)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return // the test has ended
			}
			seen <- netip.MustParseAddrPort(c.RemoteAddr().String()).Addr()
			_, _ = c.Read(make([]byte, 100)) // the clients of this test send at once
			if answer == nil {
				_ = c.(*net.TCPConn).SetLinger(0) // then the client sees no reset, and the test fails
			}
			_, _ = c.Write(answer) // the same
			_ = c.Close()
		}
	}()
	return addr.Port(), seen
}

func TestAsk(t *testing.T) {
	want := []byte("answer")
	for answer, wrong := range map[string]error{
		"answer": nil, "answes": errWrong, "answer and more": errExcess, "answ": errShort, "-": errShort,
	} {
		port, _ := answering(t, []byte(answer))
		got, err := newDialer(port, 9).ask([]byte("request"), make([]byte, len(want)+1))
		require.Equal(t, wrong, same(got, want, err), answer)
	}
	port, _ := answering(t, nil)
	_, err := newDialer(port, 9).ask([]byte("request"), make([]byte, 9))
	require.ErrorIs(t, err, unix.ECONNRESET)
	require.Equal(t, "connection reset by peer", failure(err))

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port = netip.MustParseAddrPort(ln.Addr().String()).Port()
	require.NoError(t, ln.Close())
	_, err = newDialer(port, 9).ask([]byte("request"), make([]byte, 9))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestRegistration(t *testing.T) {
	for answer, wrong := range map[string]error{
		"v\x00\x01\x02\x03\x04": nil, "v\x01\x00\x00\x00\x63": errRefused, "v\x00\x01": errShort, "y\x00\x01\x02\x03\x04": errWrong,
	} {
		port, _ := answering(t, []byte(answer))
		fd, err := newDialer(port, 9).registration([]byte("request"))
		require.Equal(t, wrong, err)
		if err == nil {
			require.NoError(t, unix.Close(fd))
		}
	}
}

// TestSlow: an answer that does not come is a failure, not a hang.
func TestSlow(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ln.Close()) })
	d := newDialer(netip.MustParseAddrPort(ln.Addr().String()).Port(), 9)
	d.timeout = unix.NsecToTimeval(int64(10 * time.Millisecond))
	_, err = d.ask([]byte("request"), make([]byte, 9))
	require.ErrorIs(t, err, errSlow)
}

// TestSources: a source address is left before its ports are used up.
func TestSources(t *testing.T) {
	port, from := answering(t, []byte("answer"))
	d := newDialer(port, 9)
	for made, want := range map[int]string{0: "127.9.0.1", connsPerSource - 1: "127.9.0.1", connsPerSource: "127.9.0.2", 255 * connsPerSource: "127.9.1.0"} {
		d.made = made
		_, err := d.ask([]byte("request"), make([]byte, 9))
		require.NoError(t, err)
		require.Equal(t, want, (<-from).String())
	}
}

func TestRates(t *testing.T) {
	p := &parked{}
	for i := range 100 {
		p.times = append(p.times, time.Duration(i+1)*time.Millisecond)
	}
	for i := 90; i < 100; i++ {
		p.times[i] = p.times[89] + time.Duration(i-89)*2*time.Millisecond
	}
	first, last := p.rates()
	require.InDelta(t, 1000, first, 1)
	require.InDelta(t, 500, last, 1)
	first, last = (&parked{}).rates()
	require.Zero(t, first+last)
}
