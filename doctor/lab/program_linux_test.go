package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// forever says that a program is ready, and never comes back.
func forever() error {
	fmt.Println("ready")
	select {}
}

// kept are connections that nobody uses and that stay open.
var kept struct {
	sync.Mutex
	all []net.Conn
}

func keep(c net.Conn) {
	kept.Lock()
	defer kept.Unlock()
	kept.all = append(kept.all, c)
}

// keepAll takes connections, and keeps them.
func keepAll(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		keep(c)
	}
}

// mute takes connections at an address, and says nothing.
func mute(args []string) error {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	go keepAll(ln)
	return forever()
}

// web is a web server at an address; with a name behind it, one that is registered with
// EPMD by that name.
func web(args []string) error {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = server.Serve(ln) }()
	if len(args) > 1 {
		port := ln.Addr().(*net.TCPAddr).Port
		_, err := new(epmd.Client).Register(context.Background(), wire.Node{
			Name: args[1], Port: uint16(port), Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5,
		})
		if err != nil {
			return err
		}
	}
	return forever()
}

// relay passes connections on from one address to another. It does not pass on that a peer
// has ended.
func relay(args []string) error {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", args[1])
			if err != nil {
				_ = c.Close()
				continue
			}
			go func() { _, _ = io.Copy(up, c) }()
			go func() { _, _ = io.Copy(c, up); _ = c.Close() }()
		}
	}()
	return forever()
}

// cnodes are so many C nodes, which are registered, take connections, and say nothing.
func cnodes(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for i := range n {
		ln, err := net.Listen("tcp", ":0")
		if err != nil {
			return err
		}
		go keepAll(ln)
		_, err = new(epmd.Client).Register(context.Background(), wire.Node{
			Name: fmt.Sprintf("c%d", i), Port: uint16(ln.Addr().(*net.TCPAddr).Port), Type: wire.NodeTypeHidden, Highest: 6, Lowest: 5,
		})
		if err != nil {
			return err
		}
	}
	return forever()
}

// ancient is registered by a name as a node of long ago, which takes connections and ends
// them.
func ancient(args []string) error {
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close() // it has nothing to say to those of today
		}
	}()
	_, err = new(epmd.Client).Register(context.Background(), wire.Node{
		Name: args[0], Port: uint16(ln.Addr().(*net.TCPAddr).Port), Type: wire.NodeTypeNormal, Highest: 4, Lowest: 1,
	})
	if err != nil {
		return err
	}
	return forever()
}

// crowd is so many connections to an address, or as many as it takes, which say nothing.
func crowd(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for range n {
		c, err := net.Dial("tcp", args[0])
		if err != nil {
			break // it has had enough
		}
		keep(c)
	}
	return forever()
}

// listener becomes our EPMD with one socket, as a socket unit of systemd would start it.
func listener(args []string) error {
	network := "tcp4"
	if strings.HasPrefix(args[0], "[") {
		network = "tcp6"
	}
	ln, err := net.Listen(network, args[0])
	if err != nil {
		return err
	}
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	const first = 3 // where systemd puts sockets
	if int(f.Fd()) != first {
		if err := unix.Dup3(int(f.Fd()), first, 0); err != nil {
			return err
		}
	} else if _, err := unix.FcntlInt(first, unix.F_SETFD, 0); err != nil {
		return err
	}
	fmt.Println("ready") // who connects now waits in the socket's queue
	env := append(os.Environ(), "LISTEN_FDS=1", "LISTEN_PID="+strconv.Itoa(os.Getpid()))
	return unix.Exec(args[1], []string{"epmd", "-systemd"}, env)
}

// dns is a name server at an address, which knows what it is told, as NAME=ADDRESS, and
// that nothing else exists.
func dns(args []string) error {
	c, err := net.ListenPacket("udp", args[0])
	if err != nil {
		return err
	}
	known := make(map[string]netip.Addr)
	for _, a := range args[1:] {
		name, addr, _ := strings.Cut(a, "=")
		known[name] = netip.MustParseAddr(addr)
	}
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if a := resolve(b[:n], known); a != nil {
				_, _ = c.WriteTo(a, from) // who does not get it asks again
			}
		}
	}()
	return forever()
}

// resolve answers a question to a name server, if it is one.
func resolve(q []byte, known map[string]netip.Addr) []byte {
	const header, typeA, typeAAAA = 12, 1, 28
	var labels []string
	at := header
	for at < len(q) && q[at] != 0 {
		end := at + 1 + int(q[at])
		if end >= len(q) {
			return nil
		}
		labels = append(labels, string(q[at+1:end]))
		at = end
	}
	if at+5 > len(q) {
		return nil
	}
	kind, question := binary.BigEndian.Uint16(q[at+1:]), q[:at+5]
	addr, found := known[strings.ToLower(strings.Join(labels, "."))]
	a := slices.Clone(question)
	const response, noSuchName = 0x8580, 3
	flags, answers := uint16(response), uint16(0)
	switch {
	case !found:
		flags |= noSuchName
	case kind == typeA && addr.Is4(), kind == typeAAAA && addr.Is6():
		answers = 1
	}
	binary.BigEndian.PutUint16(a[2:], flags)
	binary.BigEndian.PutUint16(a[6:], answers)
	binary.BigEndian.PutUint32(a[8:], 0) // nothing else in the answer
	if answers == 1 {
		a = append(a, 0xc0, header) // the name that was asked for
		a = binary.BigEndian.AppendUint16(a, kind)
		a = append(a, 0, 1, 0, 0, 0, 60)
		ip := addr.AsSlice()
		a = binary.BigEndian.AppendUint16(a, uint16(len(ip)))
		a = append(a, ip...)
	}
	return a
}
