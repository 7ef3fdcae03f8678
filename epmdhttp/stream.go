package epmdhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/metrics"
	"github.com/goepmd/goepmd/registry"
)

const (
	// eventBuffer is how many events wait for a stream. What is more is made up for
	// by a snapshot.
	eventBuffer = 4096
	// maxBatch is how many events are told one by one in a pace; a page shows no more.
	maxBatch = 500
	// pace is how long lies between changes; events gather meanwhile. The first is told
	// at once, since of who is gone it cannot be told any more where it came from.
	pace = 100 * time.Millisecond
	// tick is how often the figures are told, which is also the sign of life.
	tick = time.Second
	// writeTime is how long a reader has to take writePart bytes of what it is told;
	// who is slower is cut, and begins again.
	writeTime = 10 * time.Second
	writePart = 1 << 16
	// maxNodes is how many nodes a page is given, the newest, since a browser cannot
	// hold any number.
	maxNodes = 20000
	// restFactor is how many times as long as a snapshot took a stream rests before
	// the next, at least one tick and at most maxRest: so a daemon with very many
	// nodes that come and go is not kept busy by who looks on.
	restFactor = 20
	maxRest    = 10 * time.Second
)

// stream is one page that looks on.
type stream struct {
	*Handler
	ctx    context.Context
	writer http.ResponseWriter
	out    *http.ResponseController
}

// change is an event of the registry, as a page is told.
type change struct {
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	// Kind is registered, refused or unregistered.
	Kind string `json:"kind"`
	// Why is the reason or the refusal.
	Why string `json:"why,omitempty"`
	// Left is how many transports the name has now.
	Left int `json:"left"`
	// Node is what registered, or was refused, with the one transport that this is
	// about; of what has ended, it has no From.
	Node Node `json:"node"`
}

// serveEvents is a stream: a snapshot, in parts if there are many nodes, changes, and
// figures each second. Should the reader miss changes, it gets another snapshot.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	leave, ok := enter(w, h.streams, "too many pages look on: close some, or set Options.MaxStreams")
	if !ok {
		return
	}
	defer leave()
	s := &stream{Handler: h, ctx: r.Context(), writer: w, out: http.NewResponseController(w)}
	// The timeouts of the http.Server are for requests that end.
	if err := errors.Join(s.out.SetReadDeadline(time.Time{}), s.out.SetWriteDeadline(time.Now().Add(h.writeTime))); err != nil {
		http.Error(w, "the http.ResponseWriter cannot stream within bounds: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	_ = s.run() // why a reader is gone is its own affair; it comes again by itself
}

var errOver = errors.New("the stream or the server ends")

// run tells everything until the reader is gone or the server ends.
func (s *stream) run() error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		sub, seq := s.server.View().Follow(eventBuffer)
		begun := time.Now()
		err := s.snapshot(seq)
		rest := time.Now().Add(min(restFactor*time.Since(begun), maxRest))
		if err == nil {
			err = s.follow(sub, ticks.C)
		}
		sub.Close()
		if err != nil {
			return err
		}
		if err := s.rest(rest, ticks.C); err != nil {
			return err
		}
	}
}

// snapshot tells what is there: all nodes but the last part of them, and then a document
// with these, which says that it is complete.
func (s *stream) snapshot(seq uint64) error {
	last, err := s.nodes(s.ctx, maxNodes, func(part []byte) error {
		return s.send("nodes", fmt.Appendf(nil, "[%s]", part))
	})
	if err != nil {
		return err
	}
	head, err := s.head(seq)
	if err != nil {
		return err
	}
	return s.send("snapshot", append(append(head, last...), documentEnd...))
}

// follow tells changes and figures. Without an error the reader has missed something.
func (s *stream) follow(sub *registry.Subscription, ticks <-chan time.Time) error {
	var batch []registry.Event
	var due <-chan time.Time
	var told time.Time // changes, last
	for {
		select {
		case e := <-sub.C:
			if len(batch) == maxBatch {
				return nil
			}
			batch = append(batch, e)
			if due == nil {
				due = time.After(time.Until(told.Add(pace)))
			}
		case <-due:
			if sub.Dropped() > 0 {
				return nil
			}
			if err := s.tell("changes", s.changes(batch)); err != nil {
				return err
			}
			batch, due, told = batch[:0], nil, time.Now()
		case <-ticks:
			if err := s.figures(); err != nil {
				return err
			}
		case <-s.closed:
			return errOver
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
}

// rest waits before the next snapshot: until a time, and until the next figures.
func (s *stream) rest(until time.Time, ticks <-chan time.Time) error {
	for {
		select {
		case <-ticks:
			if err := s.figures(); err != nil {
				return err
			}
			if !time.Now().Before(until) {
				return nil
			}
		case <-s.closed:
			return errOver
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
}

// figures tells the figures, unless the server has ended.
func (s *stream) figures() error {
	ctx, cancel := context.WithTimeout(s.ctx, checkTime)
	defer cancel()
	if err := s.server.Check(ctx); errors.Is(err, epmd.ErrServerClosed) {
		return errOver
	}
	return s.tell("figures", map[string]any{"time": time.Now(), "figures": metrics.Values(s.server, s.shown())})
}

func (s *stream) changes(events []registry.Event) []change {
	var owners []registry.Owner
	for _, e := range events {
		if e.Kind != registry.Unregistered {
			owners = append(owners, e.Owner)
		}
	}
	from := s.remotes(s.ctx, owners)
	out := make([]change, 0, len(events))
	for _, e := range events {
		c := change{Seq: e.Seq, Time: e.Time, Kind: e.Kind.String(), Left: e.Transports, Node: nodeOf(e.Node, e.Owner, e.Creation, time.Time{}, from)}
		switch e.Kind {
		case registry.Registered:
			c.Node.Since = e.Time
		case registry.Refused:
			c.Why = e.Refusal.String()
		case registry.Unregistered:
			c.Why = e.Reason.String()
		}
		out = append(out, c)
	}
	return out
}

// tell sends an event of the stream.
func (s *stream) tell(kind string, what any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return s.send(kind, b)
}

// send sends an event of the stream, which the reader must take in time.
func (s *stream) send(kind string, data []byte) error {
	b := fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, data)
	for len(b) > 0 {
		if err := s.out.SetWriteDeadline(time.Now().Add(s.writeTime)); err != nil {
			return err
		}
		n, err := s.writer.Write(b[:min(len(b), writePart)])
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return s.out.Flush()
}
