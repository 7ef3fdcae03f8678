package registry

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// EventKind says what an [Event] tells.
type EventKind uint8

// The kinds of events.
const (
	_            EventKind = iota
	Registered             // a node was registered, or a transport of it
	Refused                // a node was refused; Refusal says why
	Unregistered           // a registration has ended; Reason says why
)

// String is the kind as one lower-case word.
func (k EventKind) String() string {
	switch k {
	case Registered:
		return "registered"
	case Refused:
		return "refused"
	case Unregistered:
		return "unregistered"
	}
	return "event " + strconv.Itoa(int(k))
}

// Event is one thing that happened to a registry.
type Event struct {
	// Seq counts the events of a registry from 1. A gap in what a subscriber
	// reads means that events were dropped.
	Seq  uint64
	Time time.Time
	Kind EventKind
	// Owner is who registered, or tried to.
	Owner Owner
	// Node is as the owner told it. One event tells of one transport of a name
	// that has several: Node.Transport.
	Node wire.Node
	// Transports is how many transports of the name stand after this event: of an
	// ordinary node 1 when it is registered, and 0 when it has ended.
	Transports int
	// Creation is what the node was told; 0 if it was refused.
	Creation uint32
	// Refusal is set if Kind is Refused.
	Refusal Refusal
	// Reason is set if Kind is Unregistered.
	Reason Reason
}

// Subscription is a stream of events, from [Registry.Subscribe] to
// [Subscription.Close].
type Subscription struct {
	// C yields the events in their order. Close closes it.
	C <-chan Event

	registry *Registry
	send     chan Event
	dropped  atomic.Uint64
}

// Subscribe asks for the events from now on. The snapshot is taken at that very
// moment, so that together they miss nothing and tell nothing twice.
//
// The registry never waits for a subscriber: an event that finds the buffer full
// is dropped for this subscriber, and counted. buffer is the number of events
// that it holds, at least 1.
func (r *Registry) Subscribe(buffer int) (*Subscription, Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.subscribe(buffer), r.snapshot()
}

// Follow is Subscribe without the snapshot, which stops the registry for as long as it
// takes to copy: [Registry.Pages] takes its place. It says the number of the last event
// before the subscription.
//
// Pages that are copied then are as of that event or later, so of what they show some may
// be told once more: of each transport of a name, and of a name without any, the last
// event says how it stands.
func (r *Registry) Follow(buffer int) (s *Subscription, seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.subscribe(buffer), r.seq
}

// subscribe needs r.mu.
func (r *Registry) subscribe(buffer int) *Subscription {
	c := make(chan Event, max(buffer, 1))
	s := &Subscription{C: c, registry: r, send: c}
	r.subscribers[s] = struct{}{}
	return s
}

// Dropped says how many events did not fit in the buffer.
func (s *Subscription) Dropped() uint64 { return s.dropped.Load() }

// Close ends the subscription and closes C, in which events may still wait.
// Closing twice is fine.
func (s *Subscription) Close() {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	if _, open := s.registry.subscribers[s]; open {
		delete(s.registry.subscribers, s)
		close(s.send)
	}
}

// publish numbers an event that has happened and hands it to the subscribers; r.mu
// is held.
func (r *Registry) publish(e Event) {
	r.seq++
	if len(r.subscribers) == 0 && r.onEvent == nil {
		return
	}
	e.Seq, e.Time = r.seq, r.now()
	if r.onEvent != nil {
		r.onEvent(e, Inside{r})
	}
	for s := range r.subscribers {
		select {
		case s.send <- e:
		default:
			s.dropped.Add(1)
		}
	}
}
