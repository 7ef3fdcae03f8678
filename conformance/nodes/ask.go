package nodes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

// epmd asks the daemon on a port of 127.0.0.1.
type epmd struct{ port uint16 }

// ask sends a request and gives all that comes until the daemon closes.
func (e epmd) ask(ctx context.Context, request []byte) ([]byte, error) {
	answer, err := testbed.Ask(ctx, testbed.Loopback(e.port), request)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	return answer, nil
}

// ports are the registered nodes, by name.
func (e epmd) ports(ctx context.Context) (map[string]uint16, error) {
	request, err := wire.NamesReq{}.Append(nil)
	if err != nil {
		return nil, err
	}
	answer, err := e.ask(ctx, request)
	if err != nil {
		return nil, err
	}
	port, lines, err := wire.ParseListPort(answer)
	if err != nil {
		return nil, fmt.Errorf("the list of names is %.80q: %w", answer, err)
	}
	if port != uint32(e.port) {
		return nil, fmt.Errorf("the daemon on port %d says that its port is %d", e.port, port)
	}
	ports := make(map[string]uint16)
	for line, err := range wire.NameLines(lines) {
		if err != nil {
			return nil, fmt.Errorf("the list of names is %.80q: %w", answer, err)
		}
		ports[string(line.Name)] = line.Port
	}
	return ports, nil
}

// transports are those of the registered nodes, by name, in the order of their
// registration.
func (e epmd) transports(ctx context.Context) (map[string][]wire.Transport, error) {
	request, err := wire.Names3Req{}.Append(nil)
	if err != nil {
		return nil, err
	}
	answer, err := e.ask(ctx, request)
	if err != nil {
		return nil, err
	}
	all := make(map[string][]wire.Transport)
	for more, first := true, true; more; first = false {
		block, n, err := wire.ParseBlock(answer, first)
		if err != nil {
			return nil, fmt.Errorf("the list of transports is %.80q: %w", answer, err)
		}
		answer, more = answer[n:], block.More
		for line, err := range wire.Name3Lines(block.Lines) {
			if err != nil {
				return nil, fmt.Errorf("the list of transports is %.80q: %w", block.Lines, err)
			}
			all[string(line.Name)] = line.Transports.Transports()
		}
	}
	return all, nil
}

// lookup gives what is told of a node, and whether it is registered.
func (e epmd) lookup(ctx context.Context, name string) (wire.Node, bool, error) {
	request, err := wire.PortPlease2Req{Name: []byte(name)}.Append(nil)
	if err != nil {
		return wire.Node{}, false, err
	}
	answer, err := e.ask(ctx, request)
	if err != nil {
		return wire.Node{}, false, err
	}
	r, _, err := wire.ParsePort2Resp(answer)
	if err != nil {
		return wire.Node{}, false, fmt.Errorf("the answer to a lookup is %.80q: %w", answer, err)
	}
	if r.Result != 0 {
		return wire.Node{}, false, nil
	}
	return r.Node(), true, nil
}

// register registers a node until the connection is closed, and gives its creation.
func (e epmd) register(ctx context.Context, n wire.Node) (*testbed.Conn, uint32, error) {
	request, err := n.AppendAlive2Req(nil)
	if err != nil {
		return nil, 0, err
	}
	c, err := testbed.Dial(ctx, net.Dialer{}, testbed.Loopback(e.port))
	if err != nil {
		return nil, 0, err
	}
	const replyLen = 6 // as the highest version is 6
	var answer []byte
	if err = c.Send(request); err == nil {
		answer, err = c.RecvLen(replyLen, patience)
	}
	r, _, bad := wire.ParseAlive2Resp(answer)
	if err := errors.Join(err, bad); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("register %s: %w", n.Name, err), c.Close())
	}
	if r.Result != 0 {
		return nil, 0, errors.Join(fmt.Errorf("%s is refused with result %d", n.Name, r.Result), c.Close())
	}
	return c, r.Creation, nil
}

// ports are the registered nodes.
func (t *trial) ports() map[string]uint16 {
	ports, err := t.daemon().ports(t.ctx)
	t.must(err)
	t.step("ask the daemon for its names", portList(ports))
	return ports
}

// transports are those of a node, in the order of their registration; none if it is not
// registered.
func (t *trial) transports(name string) []wire.Transport {
	all, err := t.daemon().transports(t.ctx)
	t.must(err)
	t.step("ask the daemon for the transports of "+name, fmt.Sprint(all[name]))
	return all[name]
}

// portList is nodes and ports as net_adm:names has them, sorted by name.
func portList(ports map[string]uint16) string {
	var all []string
	for name, port := range ports {
		all = append(all, fmt.Sprintf("{%q,%d}", name, port))
	}
	slices.Sort(all)
	return "[" + strings.Join(all, ",") + "]"
}

// lookup is what the daemon tells of a node that must be registered.
func (t *trial) lookup(name string) wire.Node {
	n, found, err := t.daemon().lookup(t.ctx, name)
	t.must(err)
	t.step("look up "+name, fmt.Sprintf("%+v %v", n, found))
	if !found {
		t.fail("%s is not registered", name)
	}
	return n
}

// gone waits until a node is not registered, and listed, any more.
func (t *trial) gone(name string) {
	t.until(patience, name+" is not registered any more", func() string {
		_, found, err := t.daemon().lookup(t.ctx, name)
		t.must(err)
		if found {
			return "it is"
		}
		return ""
	})
	if _, listed := t.ports()[name]; listed {
		t.fail("%s is still listed", name)
	}
}

// register registers a node by hand, which must not be refused.
func (t *trial) register(n wire.Node) (c *testbed.Conn, creation uint32) {
	c, creation, err := t.daemon().register(t.ctx, n)
	t.must(err)
	t.step("register "+n.Name, fmt.Sprintf("creation %d", creation))
	return c, creation
}
