package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// DefaultTimeout is how long an examination by a [Doctor] takes at most.
const DefaultTimeout = 5 * time.Second

// ErrTarget says that a target is no name of a node.
var ErrTarget = errors.New("a node is named as NAME@HOST, or NAME for one on this machine")

// Resolver finds the addresses of a host, as net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Doctor examines how nodes find each other. The zero value asks as a node with OTP's
// defaults would. It may be used by several goroutines at once, if its functions may.
type Doctor struct {
	// Port is that of EPMD, on every machine, as this side has it. Zero is
	// wire.DefaultPort, 4369.
	Port uint16
	// PortFrom says in a few words where Port was set, for the texts:
	// "ERL_EPMD_PORT". It may be empty.
	PortFrom string
	// AlsoPorts are where else an EPMD may be, besides 4369 and the ports that programs on
	// this machine give away, if a name is not found at Port.
	AlsoPorts []uint16

	// IPv6 asks as a node with -proto_dist inet6_tcp does, by IPv6 only. Else it is IPv4
	// only, as by OTP's default.
	IPv6 bool
	// TLS asks as a node with -proto_dist inet_tls does.
	TLS bool
	// As is the name, NAME@HOST, of the node that this side claims to be. Empty is one that
	// nobody has, which a node that allows only certain others refuses.
	As string
	// Cookie, if not empty, is shown to the nodes that are examined, to find out whether
	// they have the same. A node with another one logs that; one with the same sees a
	// hidden node come and go.
	Cookie string

	// Timeout bounds an examination; a question waits two thirds of what is left of it.
	// Zero is DefaultTimeout; negative is no bound.
	Timeout time.Duration
	// Progress, if set, is told of each step as it begins, when its Status is empty, and
	// as it ends.
	Progress func(Step)

	// Resolver and DialContext reach the network. Nil are those of package net.
	Resolver    Resolver
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Hostname, Addrs, Processes, Listeners and Neighbours tell of this machine: its name,
	// its addresses, the EPMDs and nodes that run on it, the sockets that take connections,
	// and which addresses of its networks somebody has. Nil ask the system; only Linux
	// tells of the last three.
	Hostname   func() (string, error)
	Addrs      func() ([]netip.Addr, error)
	Processes  func() ([]Process, error)
	Listeners  func() ([]Listener, error)
	Neighbours func() ([]Neighbour, error)
}

// Examine examines the way to a node, NAME@HOST or NAME for one on this machine; with an
// empty target, this machine and all nodes on it. The report's findings say what is wrong.
// The error is ErrTarget, or that of a context that ended, with what was seen until then.
func (d *Doctor) Examine(ctx context.Context, target string) (Report, error) {
	w := &walk{d: d, ctx: ctx, asked: newMemo[netip.AddrPort, answer](), found: newMemo[string, addresses]()}
	w.rep = Report{Target: target, Port: d.port(), Steps: []Step{}, Findings: []Finding{}, Unseen: []string{}}
	name, host, named := strings.Cut(target, "@")
	if target != "" {
		if _, err := (wire.PortPlease2Req{Name: []byte(name)}).Append(nil); err != nil || named && host == "" || strings.Contains(host, "@") {
			return w.rep, fmt.Errorf("%w: %q", ErrTarget, target)
		}
	}
	if d.timeout() > 0 {
		w.ends = time.Now().Add(d.timeout())
	}
	w.name, w.host = name, host
	w.machine()
	switch {
	case target == "":
		w.here()
	default:
		w.there()
	}
	w.conclude()
	return w.rep, context.Cause(ctx)
}

func (d *Doctor) port() uint16 {
	if d.Port != 0 {
		return d.Port
	}
	return wire.DefaultPort
}

func (d *Doctor) timeout() time.Duration {
	if d.Timeout == 0 {
		return DefaultTimeout
	}
	return d.Timeout
}

func (d *Doctor) dial(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
	if d.DialContext != nil {
		return d.DialContext(ctx, "tcp", a.String())
	}
	return new(net.Dialer).DialContext(ctx, "tcp", a.String())
}

// mine says whether a node of this side uses an address, by its family.
func (d *Doctor) mine(a netip.Addr) bool { return a.Is4() != d.IPv6 }
