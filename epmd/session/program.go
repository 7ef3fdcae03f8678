package session

import (
	"fmt"
	"slices"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// admit asks the program about a registration, and says why it refuses. It is not asked
// about a node that no registry takes.
func (s *Session) admit(n wire.Node) error {
	if s.daemon.AdmitNode == nil || registry.Check(n.Name, n.Extra) != nil {
		return nil
	}
	if err := s.daemon.AdmitNode(s.peer, n); err != nil {
		return fmt.Errorf("%w: %w", registry.RefusedNotAdmitted, err)
	}
	return nil
}

// resolve asks the program for a name that nobody has registered. The answer is about
// that name, whatever the program calls the node; an extra field that no node can
// have makes it none.
func (d *Daemon) resolve(name []byte) (wire.Node, bool) {
	if registry.Check(string(name), "") != nil {
		return wire.Node{}, false
	}
	n, ok := d.Resolve(string(name))
	n.Name = string(name)
	return n, ok && registry.Check(n.Name, n.Extra) == nil
}

// resolveTransports is resolve for a name that has none of the transports of a list: the
// program is not asked if the name is registered. Its node goes with the list as a
// registered one would.
func (d *Daemon) resolveTransports(name []byte, list wire.TransportList, to []wire.Transport) (wire.Node, []wire.Transport, bool) {
	if _, held := d.Registry.Holder(name); held {
		return wire.Node{}, to, false
	}
	n, ok := d.resolve(name)
	switch {
	case !ok || len(list) == 0:
		return n, to, ok
	case n.Transport == "" || list.Has(n.Transport):
		return n, append(to, wire.Transport{Name: n.Transport, Port: n.Port}), true
	}
	return n, to, false
}

// unknown answers a request with a tag that the dialect does not know: the program may,
// if no dialect does and the peer is local.
func (s *Session) unknown(tag wire.Tag, body, b []byte) Result {
	if s.daemon.HandleUnknown == nil || RightOf(tag) != rightNone || !IsLocal(s.peer) {
		return s.close(wire.ErrUnknownTag)
	}
	if err := s.daemon.Policy.ask(s.peer, tag); err != nil {
		return s.close(err)
	}
	reply, ok := s.daemon.HandleUnknown(s.peer, slices.Clip(body), b)
	if !ok {
		return s.close(wire.ErrUnknownTag)
	}
	return s.reply(reply)
}
