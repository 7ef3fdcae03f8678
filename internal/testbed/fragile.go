package testbed

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
)

// Fragile is an EPMD like that of AtomVM, for tests of clients: it knows the three requests
// of nodes, ALIVE2_REQ, PORT_PLEASE2_REQ and NAMES_REQ, and ends with all registrations on
// any other, and on a connection that ends before a request is there.
type Fragile struct {
	// Port is where it listens, on 127.0.0.1 alone.
	Port uint16

	ln       net.Listener
	mu       sync.Mutex
	nodes    []fragileNode
	open     map[net.Conn]bool
	cause    string
	closed   bool
	handlers sync.WaitGroup
}

// fragileNode is a node as it is told: name, and what stands in ALIVE2_REQ behind the tag.
type fragileNode struct {
	name, told []byte
	conn       net.Conn
}

// StartFragile starts one on a free port.
func StartFragile() (*Fragile, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &Fragile{
		Port: uint16(ln.Addr().(*net.TCPAddr).Port), ln: ln,
		open: make(map[net.Conn]bool),
	}
	f.handlers.Go(f.accept)
	return f, nil
}

// Died says of what it has died; empty if it lives.
func (f *Fragile) Died() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause
}

// Close ends it, and waits until nothing of it runs any more.
func (f *Fragile) Close() {
	f.end("")
	f.handlers.Wait()
}

// end ends it for a cause; empty is that of the test's end.
func (f *Fragile) end(cause string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.closed, f.cause = true, cause
	_ = f.ln.Close() // it is the end, whatever comes of it
	for c := range f.open {
		_ = c.Close() // likewise
	}
}

func (f *Fragile) accept() {
	for {
		c, err := f.ln.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		if f.closed {
			_ = c.Close()
		}
		f.open[c] = true
		f.mu.Unlock()
		f.handlers.Go(func() {
			f.serve(c)
			f.leave(c)
		})
	}
}

// leave forgets a connection, and what it registered.
func (f *Fragile) leave(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, c)
	f.nodes = slices.DeleteFunc(f.nodes, func(n fragileNode) bool { return n.conn == c })
	_ = c.Close() // nothing more is said on it
}

func (f *Fragile) serve(c net.Conn) {
	var length [2]byte
	if n, err := io.ReadFull(c, length[:]); err != nil {
		f.end(fmt.Sprintf("a connection that ended after %d bytes", n))
		return
	}
	body := make([]byte, binary.BigEndian.Uint16(length[:]))
	if n, err := io.ReadFull(c, body); err != nil || n == 0 {
		f.end(fmt.Sprintf("a request that ended after %d bytes", 2+n))
		return
	}
	switch {
	case body[0] == 'x' && len(body) > 13:
		f.register(c, body)
	case body[0] == 'z':
		_, _ = c.Write(f.lookup(body[1:])) // the asker may have left
	case body[0] == 'n' && len(body) == 1:
		_, _ = c.Write(f.names()) // likewise
	default:
		f.end(fmt.Sprintf("the request % x", body))
	}
}

// register keeps a node until its connection ends or says something.
func (f *Fragile) register(c net.Conn, body []byte) {
	name := body[11:][:binary.BigEndian.Uint16(body[9:])]
	f.mu.Lock()
	f.nodes = append(f.nodes, fragileNode{name, body[1:], c})
	f.mu.Unlock()
	_, _ = c.Write([]byte{'v', 0, 0, 0, 0, 42}) // the end of the connection is seen next
	_, _ = c.Read(make([]byte, 1))              // whatever comes is the end
}

func (f *Fragile) lookup(name []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.nodes {
		if bytes.Equal(n.name, name) {
			return append([]byte{'w', 0}, n.told...)
		}
	}
	return []byte{'w', 1}
}

func (f *Fragile) names() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := binary.BigEndian.AppendUint32(nil, uint32(f.Port))
	for _, n := range f.nodes {
		b = fmt.Appendf(b, "name %s at port %d\n", n.name, binary.BigEndian.Uint16(n.told))
	}
	return b
}
