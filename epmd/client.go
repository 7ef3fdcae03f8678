package epmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/dial"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/wire"
)

// Errors that tell a [Client] what the daemon's answer, or the lack of one, means.
var (
	// ErrNotFound: no node of that name is registered.
	ErrNotFound = errors.New("no such node is registered")
	// ErrRefused: the daemon refused to register the node; most often its name is
	// taken.
	ErrRefused = errors.New("the registration was refused")
	// ErrNotAllowed: nodes are registered, and the daemon does not end before
	// they have gone, unless it runs with the relaxed command check.
	ErrNotAllowed = errors.New("not allowed while nodes are registered")
	// ErrNoAnswer: the daemon closed the connection without an answer. So it
	// does with requests that the client may not make, or that it does not know.
	ErrNoAnswer = errors.New("the daemon closed the connection without an answer")
	// ErrBadAnswer: the answer is not of the protocol. Perhaps it is no EPMD.
	ErrBadAnswer = errors.New("the answer is not that of an epmd")
)

// DefaultTimeout is the time that one request of a [Client] may take.
const DefaultTimeout = 10 * time.Second

// These bound what a client reads of one answer, in bytes: a list of a million names
// fits, and what is said of one node takes 131,084 at most.
const (
	maxList   = 1 << 28
	maxAnswer = 1 << 18
)

// Client asks an EPMD, ours or another. The zero value asks the one on this
// machine's port 4369. It may be used by several goroutines at once.
type Client struct {
	// Addr is the daemon's address, "host:port" or "host". Without a host, as in
	// ":4370", it is the loopback addresses: 127.0.0.1, where nodes register, then
	// ::1. The IPv4 addresses of a host are tried before the others, as nodes
	// do. Each address gets its share of the time that is left, and the error says
	// what was tried and for how long. Without a port it is 4369.
	Addr string

	// Timeout bounds each request, besides its context. Zero is DefaultTimeout;
	// negative is no bound.
	Timeout time.Duration

	// Reregister makes registrations come back by themselves when they are
	// lost, as nodes since OTP 25 do.
	Reregister bool

	// MinBackoff and MaxBackoff are the first and the longest pause between two
	// tries to register again; each pause is about twice the one before, less
	// up to half of it by chance, until the registration has held for as long as
	// the longest. Zero is DefaultMinBackoff and
	// DefaultMaxBackoff.
	MinBackoff, MaxBackoff time.Duration

	// DialContext, if set, connects in place of a net.Dialer; the host of Addr is
	// given to it as it is.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// Logger is told of registrations that are lost and come back. Nil is silent.
	Logger *slog.Logger
}

// Names is the answer to a NAMES_REQ.
type Names struct {
	// Port is the daemon's own port, as it tells it.
	Port uint32
	// Nodes are the registered ones with the ports that they listen on, the most
	// recent first.
	Nodes []NamePort
	// Text is the list as it came, lines of "name NAME at port PORT".
	Text string
}

// NamePort is one line of [Names].
type NamePort struct {
	Name string
	Port uint16
}

// Dump is the answer to a DUMP_REQ.
type Dump struct {
	// Port is the daemon's own port, as it tells it.
	Port uint32
	// Active are the registered nodes, the most recent first, and Old the
	// remembered names, the oldest first.
	Active, Old []DumpedName
	// Text is the list as it came, with a NUL byte after each line.
	Text string
}

// DumpedName is one line of a [Dump].
type DumpedName struct {
	Name string
	Port uint16
	// FD is the daemon's own number for the node's connection.
	FD uint64
}

// Lookup asks for a node by the part of its name before the @. The error is
// ErrNotFound if there is none; a *wire.Error, and nothing is sent, for a name that no
// lookup can hold: one that is empty, is longer than 254 characters, holds a NUL, or is
// not UTF-8; an error of the network; or that of the context.
func (c *Client) Lookup(ctx context.Context, name string) (wire.Node, error) {
	req, err := wire.PortPlease2Req{Name: []byte(name)}.Append(nil)
	if err != nil {
		return wire.Node{}, fmt.Errorf("epmd: look up %q: %w", name, err)
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return wire.Node{}, fmt.Errorf("epmd: look up %q: %w", name, err)
	}
	resp, _, err := wire.ParsePort2Resp(answer)
	switch {
	case err != nil:
		return wire.Node{}, fmt.Errorf("epmd: look up %q: %w", name, badAnswer(answer, err))
	case resp.Result != 0:
		return wire.Node{}, fmt.Errorf("epmd: look up %q: %w", name, ErrNotFound)
	}
	return resp.Node(), nil
}

// Names asks which nodes are registered.
func (c *Client) Names(ctx context.Context) (Names, error) {
	req, err := wire.NamesReq{}.Append(nil)
	if err != nil {
		return Names{}, fmt.Errorf("epmd: names: %w", err)
	}
	answer, err := c.Exchange(ctx, req)
	if err != nil {
		return Names{}, fmt.Errorf("epmd: names: %w", err)
	}
	port, lines, err := wire.ParseListPort(answer)
	if err != nil {
		return Names{}, fmt.Errorf("epmd: names: %w", badAnswer(answer, err))
	}
	out := Names{Port: port, Text: string(lines)}
	for line, err := range wire.NameLines(lines) {
		if err != nil {
			return out, fmt.Errorf("epmd: names: %w", badAnswer(answer, err))
		}
		out.Nodes = append(out.Nodes, NamePort{string(line.Name), line.Port})
	}
	return out, nil
}

// Dump asks which nodes are registered and which names are remembered. A daemon
// answers it to local clients only; others get ErrNoAnswer.
func (c *Client) Dump(ctx context.Context) (Dump, error) {
	req, err := wire.DumpReq{}.Append(nil)
	if err != nil {
		return Dump{}, fmt.Errorf("epmd: dump: %w", err)
	}
	answer, err := c.Exchange(ctx, req)
	if err != nil {
		return Dump{}, fmt.Errorf("epmd: dump: %w", err)
	}
	port, lines, err := wire.ParseListPort(answer)
	if err != nil {
		return Dump{}, fmt.Errorf("epmd: dump: %w", badAnswer(answer, err))
	}
	out := Dump{Port: port, Text: string(lines)}
	for line, err := range wire.DumpLines(lines) {
		if err != nil {
			return out, fmt.Errorf("epmd: dump: %w", badAnswer(answer, err))
		}
		name := DumpedName{string(line.Name), line.Port, line.FD}
		if line.Active {
			out.Active = append(out.Active, name)
		} else {
			out.Old = append(out.Old, name)
		}
	}
	return out, nil
}

// Kill asks the daemon to end. The error is ErrNotAllowed if it does not because
// nodes are registered. A daemon takes it from local clients only; others get
// ErrNoAnswer.
func (c *Client) Kill(ctx context.Context) error {
	req, err := wire.KillReq{}.Append(nil)
	if err != nil {
		return fmt.Errorf("epmd: kill: %w", err)
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return fmt.Errorf("epmd: kill: %w", err)
	}
	ok, _, err := wire.ParseKillResp(answer)
	switch {
	case err != nil:
		return fmt.Errorf("epmd: kill: %w", badAnswer(answer, err))
	case !ok:
		return fmt.Errorf("epmd: kill: %w", ErrNotAllowed)
	}
	return nil
}

// Stop asks the daemon to unregister a node and to close its connection. The
// error is ErrNotFound if there is no such node. A daemon takes it only from local
// clients, and only with the relaxed command check; else the error is
// ErrNoAnswer. For an empty name, and one that no request can hold, it is a *wire.Error,
// and nothing is sent.
func (c *Client) Stop(ctx context.Context, name string) error {
	req, err := wire.StopReq{Name: []byte(name)}.Append(nil)
	if err != nil {
		return fmt.Errorf("epmd: stop %q: %w", name, err)
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return fmt.Errorf("epmd: stop %q: %w", name, err)
	}
	known, _, err := wire.ParseStopResp(answer)
	switch {
	case err != nil:
		return fmt.Errorf("epmd: stop %q: %w", name, badAnswer(answer, err))
	case !known:
		return fmt.Errorf("epmd: stop %q: %w", name, ErrNotFound)
	}
	return nil
}

// badAnswer is the error for an answer that cannot be read: none at all is a
// case of its own.
func badAnswer(answer []byte, err error) error {
	if len(answer) == 0 {
		return ErrNoAnswer
	}
	const most = 32
	return fmt.Errorf("%w: % x (%d bytes): %w", ErrBadAnswer, answer[:min(len(answer), most)], len(answer), err)
}

// Exchange sends a packet, right or wrong, and returns everything that the daemon
// sends until it closes the connection: nothing, if it does so unanswered. It is
// what the other methods are made of. The error is one of the network or the
// context, or ErrBadAnswer for an answer of more than 256 MiB.
func (c *Client) Exchange(ctx context.Context, packet []byte) ([]byte, error) {
	return c.exchange(ctx, packet, maxList)
}

// ask is Exchange for an answer that is no list.
func (c *Client) ask(ctx context.Context, packet []byte) ([]byte, error) {
	return c.exchange(ctx, packet, maxAnswer)
}

// exchange is Exchange for an answer of at most so many bytes.
func (c *Client) exchange(ctx context.Context, packet []byte, most int) ([]byte, error) {
	ctx, cancel := c.withTimeout(ctx)
	defer cancel()
	nc, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = nc.Close() }() // all that was wanted is read
	began := time.Now()
	if err := send(nc, packet); err != nil {
		return nil, reason(ctx, nc, began, err)
	}
	defer interruptible(ctx, nc)()
	answer, err := io.ReadAll(io.LimitReader(nc, int64(most)+1))
	switch {
	case ctx.Err() != nil:
		return nil, reason(ctx, nc, began, err)
	case len(answer) > most:
		return nil, badAnswer(answer, fmt.Errorf("longer than %d bytes", most))
	case err != nil && (len(answer) > 0 || !sockets.IsReset(err)):
		return nil, err // after the first byte a reset means that some are missing
	}
	return answer, nil
}

// send says what is to be said on a new connection, even if the context has just ended: there
// are EPMDs that die of a connection on which nothing is said.
func send(nc net.Conn, packet []byte) error {
	const patience = time.Second // the system takes it at once
	_ = nc.SetWriteDeadline(time.Now().Add(patience))
	_, err := nc.Write(packet)
	return err
}

// interruptible ends whatever waits on the connection when the context ends,
// until the function that it returns is called.
func interruptible(ctx context.Context, nc net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
}

// reason prefers to say that the context has ended, and what was waited for since a time.
func reason(ctx context.Context, nc net.Conn, since time.Time, err error) error {
	if ctx.Err() != nil {
		return dial.Unanswered(ctx, nc, since)
	}
	return err
}

func (c *Client) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if d := orDuration(c.Timeout, DefaultTimeout); d > 0 {
		return context.WithTimeout(ctx, d)
	}
	return context.WithCancel(ctx)
}

// dial connects to the daemon, at the first of its addresses that takes a connection.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	connect := c.DialContext
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	addresses, err := c.addresses(ctx)
	if err != nil {
		return nil, err
	}
	return dial.First(ctx, connect, addresses)
}

// addresses are those to try, in order. DialContext is given a host as it is.
func (c *Client) addresses(ctx context.Context) ([]string, error) {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		host, port = strings.Trim(c.Addr, "[]"), ""
	}
	if port == "" {
		port = strconv.Itoa(wire.DefaultPort)
	}
	switch {
	case host == "":
		return dial.Loopbacks(port), nil
	case c.DialContext != nil:
		return []string{net.JoinHostPort(host, port)}, nil
	}
	return dial.Addresses(ctx, host, port)
}

func (c *Client) log() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.New(slog.DiscardHandler)
}
