package cnode

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	alpha = Node{Name: "alpha@127.0.0.1", Cookie: "secret", Creation: 7}
	beta  = Node{Name: "beta@127.0.0.1", Cookie: "secret", Creation: 8}
)

// meet lets one node connect to another, and gives both ends.
func meet(t *testing.T, from, to Node, peer string, v Version) (out, in *Conn, outErr, inErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		c, err := l.Accept()
		if err != nil {
			inErr = err
			return
		}
		in, inErr = to.Accept(t.Context(), c)
	}()
	out, outErr = from.Dial(t.Context(), l.Addr().String(), peer, v)
	<-accepted
	for _, c := range []*Conn{out, in} {
		if c != nil {
			t.Cleanup(func() { _ = c.Close() })
		}
	}
	return out, in, outErr, inErr
}

func TestHandshake(t *testing.T) {
	for _, v := range []Version{Version5, Version6} {
		out, in, outErr, inErr := meet(t, alpha, beta, beta.Name, v)
		require.NoError(t, outErr)
		require.NoError(t, inErr)
		require.Equal(t, beta.Name, out.Peer)
		require.Equal(t, beta.Creation, out.Creation)
		require.Equal(t, alpha.Name, in.Peer)
		require.Equal(t, alpha.Creation, in.Creation)
	}
}

func TestOtherCookie(t *testing.T) {
	stranger := alpha
	stranger.Cookie = "other"
	_, _, outErr, inErr := meet(t, stranger, beta, beta.Name, Version6)
	require.ErrorIs(t, outErr, io.EOF)
	require.ErrorContains(t, outErr, "cookie")
	require.ErrorIs(t, inErr, ErrCookie)
}

func TestOtherName(t *testing.T) {
	_, _, outErr, inErr := meet(t, alpha, beta, "gamma@127.0.0.1", Version6)
	require.ErrorIs(t, outErr, ErrPeer)
	require.ErrorContains(t, outErr, beta.Name)
	require.Error(t, inErr)
}

// TestGreet: a node tells who it is to one that never shows that it knows the cookie.
func TestGreet(t *testing.T) {
	stranger := alpha
	stranger.Cookie = ""
	for _, v := range []Version{Version5, Version6} {
		here, there := net.Pipe()
		accepted := make(chan error, 1)
		go func() {
			_, err := beta.Accept(t.Context(), there)
			accepted <- err
		}()
		g, err := stranger.Greet(t.Context(), here, v)
		require.NoError(t, err)
		require.Equal(t, Greeting{Name: beta.Name, Creation: beta.Creation, Flags: flags}, g)
		require.NoError(t, here.Close())
		require.ErrorIs(t, <-accepted, io.EOF)
	}
	here, there := net.Pipe()
	go func() {
		_, _ = readShort(there)
		_, _ = there.Write(short("snot_allowed"))
	}()
	_, err := stranger.Greet(t.Context(), here, Version6)
	require.ErrorIs(t, err, ErrRefused)
}

// TestTLSFrames: inside TLS the lengths of the handshake have 4 bytes; all else is the
// same.
func TestTLSFrames(t *testing.T) {
	from, to := alpha, beta
	from.TLS, to.TLS = true, true
	for _, v := range []Version{Version5, Version6} {
		out, in, outErr, inErr := meet(t, from, to, to.Name, v)
		require.NoError(t, outErr)
		require.NoError(t, inErr)
		served := make(chan error, 1)
		go func() { served <- in.Serve(t.Context()) }()
		require.NoError(t, out.Ping(t.Context()))
		require.NoError(t, out.Close())
		require.NoError(t, <-served)
	}
	_, _, outErr, inErr := meet(t, from, beta, beta.Name, Version6)
	require.Error(t, outErr)
	require.ErrorIs(t, inErr, ErrPeer, "a length of 4 bytes is none of 2")
	w := &wide{ReadWriter: script{bytes.NewReader([]byte{0, 1, 0, 0})}}
	_, err := readShort(w)
	require.ErrorIs(t, err, ErrPeer, "too long a message")
}

func TestPing(t *testing.T) {
	out, in, outErr, inErr := meet(t, alpha, beta, beta.Name, Version6)
	require.NoError(t, outErr)
	require.NoError(t, inErr)
	served := make(chan error, 1)
	go func() { served <- in.Serve(t.Context()) }()
	require.NoError(t, out.Ping(t.Context()))
	require.NoError(t, out.Ping(t.Context()))
	require.NoError(t, out.Close())
	require.NoError(t, <-served)
}

// TestCall: the answer is found among ticks, pings and messages for others.
func TestCall(t *testing.T) {
	out, in, outErr, inErr := meet(t, alpha, beta, beta.Name, Version6)
	require.NoError(t, outErr)
	require.NoError(t, inErr)
	failed := make(chan error, 1)
	go func() {
		failed <- func() error {
			b, err := readLong(in.c)
			if err != nil {
				return err
			}
			control, message, err := parseMessage(b)
			if err != nil {
				return err
			}
			want := Tuple{out.self(), Tuple{Atom("call"), Atom("m"), Atom("f"), Proper(1, 2), Atom("user")}}
			if !Equal(message, want) || !Equal(control, Tuple{opRegSend, out.self(), Atom(""), Atom("rex")}) {
				t.Errorf("got %v with %v", control, message)
			}
			if err := writeLong(in.c, nil); err != nil { // a tick
				return err
			}
			if b, err = readLong(in.c); err != nil || len(b) > 0 {
				t.Errorf("a tick was answered by %q, %v", b, err)
			}
			for _, m := range []Term{Atom("else"), Tuple{Atom("rex")}, Tuple{Atom("rex"), Atom("ok")}} {
				if err := in.send(Tuple{opSend, Atom(""), out.self()}, m); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	got, err := out.Call(t.Context(), "m", "f", 1, 2)
	require.NoError(t, err)
	require.Equal(t, Atom("ok"), got)
	require.NoError(t, <-failed)
}

// TestContext: a peer that says nothing holds nobody.
func TestContext(t *testing.T) {
	here, there := net.Pipe()
	t.Cleanup(func() { _ = there.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := alpha.Accept(ctx, here)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// script is a peer that says what it says, whatever it hears.
type script struct{ io.Reader }

func (script) Write(b []byte) (int, error) { return len(b), nil }

func short(bodies ...string) []byte {
	var b bytes.Buffer
	for _, body := range bodies {
		_ = writeShort(&b, []byte(body)) // never fails
	}
	return b.Bytes()
}

func TestBadPeers(t *testing.T) {
	challenge := string(appendHello(hello{flags: flags, challenge: 1, name: beta.Name}, true))
	for what, c := range map[string]struct {
		says []byte
		want error
	}{
		"nothing":                {nil, io.EOF},
		"an empty message":       {[]byte{0, 0}, ErrPeer},
		"too long a message":     {[]byte{0xff, 0xff, 's'}, ErrPeer},
		"less than it announced": {[]byte{0, 9, 's'}, io.ErrUnexpectedEOF},
		"another tag":            {short("xok"), ErrPeer},
		"no":                     {short("snot_allowed"), ErrRefused},
		"no challenge":           {short("sok"), io.EOF},
		"a short challenge":      {short("sok", challenge[:20]), ErrPeer},
		"an empty name":          {short("sok", string(appendHello(hello{}, true))), ErrPeer},
		"another first message":  {short("sok", "q"), ErrPeer},
		"a short digest":         {short("sok", challenge, "a123"), ErrPeer},
		"a wrong digest":         {short("sok", challenge, "a"+string(make([]byte, md5.Size))), ErrCookie},
		"a wrong digest, alive":  {short("salive", challenge, "a"+string(make([]byte, md5.Size))), ErrCookie},
	} {
		_, err := alpha.connect(script{bytes.NewReader(c.says)}, beta.Name, Version6)
		require.ErrorIs(t, err, c.want, what)
	}
	yields := alpha
	yields.Yields = true
	var said bytes.Buffer
	_, err := yields.connect(heard{bytes.NewReader(short("salive")), &said}, beta.Name, Version6)
	require.ErrorIs(t, err, ErrAlive)
	require.True(t, bytes.HasSuffix(said.Bytes(), short("sfalse")), "it keeps what it has")
	old := string(appendHello(hello{old: true, flags: flags, name: beta.Name}, false))
	first := string(appendHello(hello{flags: flags, name: beta.Name}, false))
	reply := "r" + string(make([]byte, 4+md5.Size))
	for what, c := range map[string]struct {
		says []byte
		want error
	}{
		"nothing":             {nil, io.EOF},
		"no hello":            {short("x"), ErrPeer},
		"an old node":         {short(string(appendHello(hello{name: "old@host"}, false))), ErrPeer},
		"no reply":            {short(first), io.EOF},
		"a short reply":       {short(first, "r123"), ErrPeer},
		"another tag":         {short(first, "q"+reply[1:]), ErrPeer},
		"a wrong digest":      {short(first, reply), ErrCookie},
		"no complement":       {short(old, reply), ErrPeer},
		"a short complement":  {short(old, "c123"), ErrPeer},
		"only the complement": {short(old, "c12345678"), io.EOF},
	} {
		_, err := alpha.accept(script{bytes.NewReader(c.says)})
		require.ErrorIs(t, err, c.want, what)
	}
}

// heard is a peer that reads from a script, and whose words are kept.
type heard struct {
	io.Reader
	io.Writer
}

func long(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestBadMessages(t *testing.T) {
	for what, says := range map[string][]byte{
		"too long":               {0xff, 0xff, 0xff, 0xff},
		"an atom cache":          long("\x83D\x00"),
		"no version":             long("p\x84j"),
		"an operation of none":   long("p\x83h\x00"),
		"no tuple":               long("p\x83j"),
		"cut short":              long("p\x83h\x03a"),
		"a message of something": long("p\x83h\x01a\x02\x84j"),
		"a message cut short":    long("p\x83h\x01a\x02\x83l"),
	} {
		here, there := net.Pipe()
		t.Cleanup(func() { _, _ = here.Close(), there.Close() })
		go func() { _, _ = there.Write(says) }() // an error means that the other end had enough
		c := &Conn{node: alpha, c: here}
		_, err := c.receive()
		require.ErrorIs(t, err, ErrPeer, what)
	}
}

// FuzzConnect and FuzzAccept: whatever the peer says, the handshake ends, and never
// well without the cookie.
func FuzzConnect(f *testing.F) {
	f.Add(short("sok", string(appendHello(hello{flags: flags, name: beta.Name}, true)), "a0123456789abcdef"))
	f.Add(short("salive", string(appendHello(hello{old: true, name: beta.Name}, true)), "a0123456789abcdef"))
	f.Fuzz(func(t *testing.T, says []byte) {
		_, err := alpha.connect(script{bytes.NewReader(says)}, beta.Name, Version6)
		require.Error(t, err)
	})
}

func FuzzAccept(f *testing.F) {
	f.Add(short(string(appendHello(hello{flags: flags, name: beta.Name}, false)), "r0123456789abcdefghij"))
	f.Add(short(string(appendHello(hello{old: true, flags: flags, name: beta.Name}, false)), "c12345678", "r0123456789abcdefghij"))
	f.Fuzz(func(t *testing.T, says []byte) {
		_, err := alpha.accept(script{bytes.NewReader(says)})
		require.Error(t, err)
	})
}
