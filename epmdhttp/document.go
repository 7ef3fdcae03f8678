package epmdhttp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"math"
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

// Document is what /nodes answers, and what a page begins with.
type Document struct {
	Schema int       `json:"schema"`
	Time   time.Time `json:"time"`
	// Seq is the number of the registry's last event before the nodes were read: each is
	// told as it was then, or later.
	Seq    uint64  `json:"seq"`
	Server Program `json:"server"`
	// Figures are the metrics, by the names that docs/seeing.md explains; those that
	// are 0 are left out.
	Figures map[string]float64 `json:"figures"`
	// Nodes are the registered ones, the most recent first. A node that registers or
	// goes while the document is written may be there or not.
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
	// Type is in the words of wire.NodeTypeName.
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

const (
	// pageSize is how many nodes are copied at a time, between two requests of others.
	pageSize = 256
	// partSize is how many bytes of nodes are written at a time, or one node more: so that
	// however many there are, no more is held for who reads them.
	partSize = 1 << 16
	// maxDocuments is how many may read /nodes at a time, and nodesTime how long.
	maxDocuments = 8
	nodesTime    = 30 * time.Second
)

// serveNodes writes a document, part by part.
func (h *Handler) serveNodes(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodHead {
		return
	}
	leave, ok := enter(w, h.documents, "too many read the nodes: come again")
	if !ok {
		return
	}
	defer leave()
	// Where this is not possible, a reader that takes its time holds its place.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.nodesTime))
	head, err := h.head(h.server.View().Stats().Seq)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := w.Write(head); err != nil {
		return // who asked may be gone
	}
	last, err := h.nodes(r.Context(), math.MaxInt, func(part []byte) error {
		_, err := w.Write(append(part, ','))
		return err
	})
	if err != nil {
		return // likewise
	}
	_, _ = w.Write(append(last, documentEnd+"\n"...)) // who asked may be gone
}

// enter takes a place for a request, until leave is called, or tells its client to come
// again. No channel is no limit.
func enter(w http.ResponseWriter, places chan struct{}, full string) (leave func(), ok bool) {
	if places == nil {
		return func() {}, true
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, true
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, full, http.StatusServiceUnavailable)
		return nil, false
	}
}

// documentEnd ends a document in JSON, after its last node.
const documentEnd = "]}"

// head is a document in JSON up to its nodes.
func (h *Handler) head(seq uint64) ([]byte, error) {
	b, err := json.Marshal(h.document(seq))
	return bytes.TrimSuffix(b, []byte(documentEnd)), err
}

// document is a Document without its nodes.
func (h *Handler) document(seq uint64) Document {
	d := Document{
		Schema:  Schema,
		Time:    time.Now(),
		Seq:     seq,
		Server:  Program{Version: cmp.Or(h.options.Version, metrics.Version())},
		Figures: metrics.Values(h.server, h.shown()),
		Nodes:   []Node{},
	}
	for _, a := range h.server.Addrs() {
		d.Server.Addresses = append(d.Server.Addresses, a.String())
	}
	return d
}

// nodes gives the most recent nodes as the elements of a JSON list: part by part, and the
// last part when it returns. A part is good until the next, and may be appended to.
func (h *Handler) nodes(ctx context.Context, most int, give func(part []byte) error) (last []byte, err error) {
	var part []byte
	for page := range h.server.View().Pages(pageSize) {
		page = page[:min(len(page), most)]
		most -= len(page)
		from := h.remotes(ctx, owners(page))
		for _, e := range page {
			if len(part) >= partSize {
				if err := give(part); err != nil {
					return nil, err
				}
				part = part[:0]
			}
			b, err := json.Marshal(nodeOfEntry(e, from))
			if err != nil {
				return nil, err
			}
			if len(part) > 0 {
				part = append(part, ',')
			}
			part = append(part, b...)
		}
		if most == 0 {
			break
		}
	}
	return part, nil
}

// owners are all whom entries name.
func owners(page []registry.Entry) (out []registry.Owner) {
	for _, e := range page {
		out = append(out, e.Owner)
		for _, held := range e.Transports {
			out = append(out, held.Owner)
		}
	}
	return out
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

// nodeOfEntry is a node with all its transports.
func nodeOfEntry(e registry.Entry, from map[registry.Owner]net.Addr) Node {
	n := nodeOf(e.Node, e.Owner, e.Creation, e.Since, from)
	if len(e.Transports) > 0 {
		n.Transports = transportsOf(e.Transports, from)
	}
	return n
}

// nodeOf is a node with one transport.
func nodeOf(n wire.Node, o registry.Owner, creation uint32, since time.Time, from map[registry.Owner]net.Addr) Node {
	return Node{
		Name: n.Name, Type: wire.NodeTypeName(n.Type), Protocol: n.Protocol, Highest: n.Highest, Lowest: n.Lowest,
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
