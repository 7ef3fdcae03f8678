package epmdhttp

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/goepmd/goepmd/metrics"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Schema is the number of the form of [Document]. Within a number, fields are only
// added.
const Schema = 1

// Document is everything at one moment: what /nodes answers, and what a page begins
// with.
type Document struct {
	Schema int       `json:"schema"`
	Time   time.Time `json:"time"`
	// Seq is the number of the registry's last event.
	Seq    uint64  `json:"seq"`
	Server Program `json:"server"`
	// Figures are the metrics, by the names that docs/seeing.md explains; those that
	// are 0 are left out.
	Figures map[string]float64 `json:"figures"`
	// Nodes are the registered ones, the most recent first.
	Nodes []Node `json:"nodes"`
}

// Program is the daemon itself.
type Program struct {
	Version string `json:"version"`
	// Addresses are those on which it listens, as "IP:PORT".
	Addresses []string `json:"addresses"`
}

// Node is a registered node.
type Node struct {
	Name string `json:"name"`
	// Type is "normal", "hidden" or "type N".
	Type string `json:"type"`
	// Protocol is 0 for TCP.
	Protocol uint8  `json:"protocol"`
	Highest  uint16 `json:"highest"`
	Lowest   uint16 `json:"lowest"`
	Creation uint32 `json:"creation"`
	// Extra is in hexadecimal.
	Extra string `json:"extra,omitempty"`
	// Since is when the name registered; only of nodes that are registered.
	Since time.Time `json:"since,omitzero"`
	// Transports are the ways to reach it, in the order of registration: one, unless
	// it came by the multi-transport extension.
	Transports []Transport `json:"transports"`
}

// Transport is one way to reach a node.
type Transport struct {
	// Name is empty for the only one of an ordinary node.
	Name string `json:"name,omitempty"`
	// Since is when it registered, where that is known better than of the node.
	Since time.Time `json:"since,omitzero"`
	Port  uint16    `json:"port"`
	// Owner is the number of the connection that registered it, as in dumps and
	// logs.
	Owner uint64 `json:"owner"`
	// From is where that connection comes from, "IP:PORT" or "unix"; empty if it has
	// just ended, or if the program that runs the server registered the node itself.
	From string `json:"from,omitempty"`
}

// serveNodes answers with a document.
func (h *Handler) serveNodes(w http.ResponseWriter, r *http.Request) {
	b, err := json.Marshal(h.document(r.Context(), h.server.View().Snapshot()))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	say(w, "application/json", append(b, '\n'))
}

func (h *Handler) document(ctx context.Context, snap registry.Snapshot) Document {
	d := Document{
		Schema:  Schema,
		Time:    time.Now(),
		Seq:     snap.Seq,
		Server:  Program{Version: cmp.Or(h.options.Version, metrics.Version())},
		Figures: metrics.Values(h.server, h.shown()),
		Nodes:   make([]Node, 0, len(snap.Nodes)),
	}
	for _, a := range h.server.Addrs() {
		d.Server.Addresses = append(d.Server.Addresses, a.String())
	}
	owners := make([]registry.Owner, 0, len(snap.Nodes))
	for _, e := range snap.Nodes {
		owners = append(owners, e.Owner)
		for _, held := range e.Transports {
			owners = append(owners, held.Owner)
		}
	}
	from := h.remotes(ctx, owners)
	for _, e := range snap.Nodes {
		n := nodeOf(e.Node, e.Owner, e.Creation, e.Since, from)
		if len(e.Transports) > 0 {
			n.Transports = transportsOf(e.Transports, from)
		}
		d.Nodes = append(d.Nodes, n)
	}
	return d
}

// remotes are where owners come from; none if the server cannot tell in time, or ends.
func (h *Handler) remotes(ctx context.Context, owners []registry.Owner) map[registry.Owner]net.Addr {
	if len(owners) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	from, err := h.server.Remotes(ctx, owners...)
	if err != nil {
		return nil // the rest is worth showing
	}
	return from
}

// nodeOf is a node with one transport.
func nodeOf(n wire.Node, o registry.Owner, creation uint32, since time.Time, from map[registry.Owner]net.Addr) Node {
	return Node{
		Name: n.Name, Type: typeOf(n), Protocol: n.Protocol, Highest: n.Highest, Lowest: n.Lowest,
		Creation: creation, Extra: hex.EncodeToString([]byte(n.Extra)), Since: since,
		Transports: []Transport{{Name: n.Transport, Port: n.Port, Owner: uint64(o), From: fromOf(from[o])}},
	}
}

func transportsOf(list []registry.HeldTransport, from map[registry.Owner]net.Addr) []Transport {
	out := make([]Transport, 0, len(list))
	for _, held := range list {
		out = append(out, Transport{
			Name: held.Name, Port: held.Port, Owner: uint64(held.Owner), Since: held.Since, From: fromOf(from[held.Owner]),
		})
	}
	return out
}

func typeOf(n wire.Node) string {
	switch n.Type {
	case wire.NodeTypeNormal:
		return "normal"
	case wire.NodeTypeHidden:
		return "hidden"
	}
	return fmt.Sprintf("type %d", n.Type)
}

func fromOf(a net.Addr) string {
	switch a := a.(type) {
	case nil:
		return ""
	case *net.UnixAddr:
		return "unix"
	default:
		return a.String()
	}
}
