package machine

import (
	"encoding/hex"
	"strings"

	"github.com/goepmd/goepmd/registry"
)

// State is all that a machine knows, as plain values that have a form in JSON.
type State struct {
	// Now is the time in Unix milliseconds.
	Now int64 `json:"now"`
	// Port is the daemon's own.
	Port uint16 `json:"port"`
	// Stopped says that a KILL_REQ has ended the daemon.
	Stopped bool `json:"stopped"`
	// Nodes are the registered nodes, the most recent first.
	Nodes []Node `json:"nodes"`
	// Old are the remembered names, the oldest first.
	Old []Node `json:"old"`
	// Conns are the connections that were not ended by their peers, in
	// ascending order.
	Conns []Conn `json:"conns"`
}

// Node is a registered node or a remembered name.
type Node struct {
	// Name is UTF-8; NameHex is its bytes in hexadecimal.
	Name    string `json:"name"`
	NameHex string `json:"nameHex"`
	// Port to Lowest are as the node told them.
	Port     uint16 `json:"port"`
	Type     uint8  `json:"type"`
	Protocol uint8  `json:"protocol"`
	Highest  uint16 `json:"highest"`
	Lowest   uint16 `json:"lowest"`
	// ExtraHex is the extra field in hexadecimal; a remembered name has none.
	ExtraHex string `json:"extraHex"`
	// Creation is what the node was told of Counter.
	Creation uint32 `json:"creation"`
	Counter  uint32 `json:"counter"`
	// Owner is the connection that registered the node.
	Owner ConnID `json:"owner"`
	// Since is the time of the registration in Unix milliseconds.
	Since int64 `json:"since"`
	// Transports are those of a node that ALIVE3_REQ registered, in the order of
	// registration; of a remembered name those that ended last. Port, Owner and Since
	// are then of the first, and Type to ExtraHex of the last registration.
	Transports []Transport `json:"transports,omitempty"`
}

// Transport is one transport of a node.
type Transport struct {
	// Name is UTF-8, with U+FFFD where it is none: a transport's name may be any bytes
	// but NUL. NameHex is its bytes in hexadecimal. Both are empty for what an
	// ALIVE2_REQ added.
	Name    string `json:"name"`
	NameHex string `json:"nameHex"`
	Port    uint16 `json:"port"`
	// Owner is the connection that registered it, Since when, in Unix milliseconds.
	Owner ConnID `json:"owner"`
	Since int64  `json:"since"`
}

// Conn is one connection.
type Conn struct {
	ID    ConnID    `json:"id"`
	Local bool      `json:"local"`
	State ConnState `json:"state"`
	// Want is the most bytes that the next chunk may have.
	Want int `json:"want"`
	// Buffered is how many bytes of an incomplete request have arrived.
	Buffered int `json:"buffered"`
	// Deadline is when it is closed if its request is not complete, in Unix
	// milliseconds; 0 is never.
	Deadline int64 `json:"deadline"`
	// TakesMore says that it is kept, and takes further ALIVE3_REQs.
	TakesMore bool `json:"takesMore,omitempty"`
}

// ConnState is what a connection is doing, as one word.
type ConnState string

// The states of a connection.
const (
	// Reading: the request is not complete.
	Reading ConnState = "reading"
	// Kept: it holds a registration, or several.
	Kept ConnState = "kept"
	// Refused: its registration was refused, and it is kept open all the same.
	Refused ConnState = "refused"
	// Closed: by the daemon; the peer was not heard to have left.
	Closed ConnState = "closed"
)

// State is all that the machine knows now. The caller may keep it. The error is
// always nil.
func (m *Machine) State() (State, error) {
	snap := m.daemon.Registry.Snapshot()
	s := State{
		Now:     m.now,
		Port:    m.daemon.Port,
		Stopped: m.stopped,
		Nodes:   nodes(snap.Nodes),
		Old:     nodes(snap.Old),
		Conns:   make([]Conn, 0, len(m.conns)),
	}
	for _, id := range m.ids() {
		s.Conns = append(s.Conns, m.conns[id].state(id))
	}
	return s, nil
}

func nodes(entries []registry.Entry) []Node {
	out := make([]Node, 0, len(entries))
	for _, e := range entries {
		out = append(out, Node{
			Name:       e.Node.Name,
			NameHex:    hex.EncodeToString([]byte(e.Node.Name)),
			Port:       e.Node.Port,
			Type:       e.Node.Type,
			Protocol:   e.Node.Protocol,
			Highest:    e.Node.Highest,
			Lowest:     e.Node.Lowest,
			ExtraHex:   hex.EncodeToString([]byte(e.Node.Extra)),
			Creation:   e.Creation,
			Counter:    e.Counter,
			Owner:      ConnID(e.Owner),
			Since:      e.Since.UnixMilli(),
			Transports: transports(e.Transports),
		})
	}
	return out
}

func transports(of []registry.HeldTransport) []Transport {
	var out []Transport
	for _, t := range of {
		out = append(out, Transport{
			Name:    strings.ToValidUTF8(t.Name, "\ufffd"),
			NameHex: hex.EncodeToString([]byte(t.Name)),
			Port:    t.Port,
			Owner:   ConnID(t.Owner),
			Since:   t.Since.UnixMilli(),
		})
	}
	return out
}

func (c *conn) state(id ConnID) Conn {
	out := Conn{
		ID:        id,
		Local:     c.local,
		State:     Reading,
		Want:      c.session.Want(),
		Buffered:  c.buffered,
		TakesMore: c.session.TakesMore(),
	}
	switch {
	case c.session.Ended():
		out.State = Closed
	case c.session.Kept() && c.session.Holds():
		out.State = Kept
	case c.session.Kept():
		out.State = Refused
	}
	if at := c.session.Deadline(); !at.IsZero() {
		out.Deadline = at.UnixMilli()
	}
	return out
}
