package registry_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// waiting reads the events that wait in the buffer.
func waiting(s *registry.Subscription) []registry.Event {
	events := []registry.Event{}
	for {
		select {
		case e, open := <-s.C:
			if !open {
				return events
			}
			events = append(events, e)
		default:
			return events
		}
	}
}

func seqs(events []registry.Event) []uint64 {
	got := []uint64{}
	for _, e := range events {
		got = append(got, e.Seq)
	}
	return got
}

func TestEvents(t *testing.T) {
	r, clock := newRegistry(0)
	sub, _ := r.Subscribe(10)
	defer sub.Close()
	a := wire.Node{Name: "a", Port: 1, Type: 3, Protocol: 4, Highest: 6, Lowest: 5, Extra: "of a"}
	b := wire.Node{Name: "b", Port: 2, Type: 77, Highest: 5, Lowest: 5}
	bad := wire.Node{Name: "\xff", Port: 3}

	register(t, r, 11, a)
	clock.set(1001)
	register(t, r, 12, b)
	clock.set(1002)
	_, _ = r.Register(13, a)
	clock.set(1003)
	_, _ = r.Register(14, bad)
	clock.set(1004)
	r.Release(11, registry.ReasonData)
	clock.set(1005)
	r.Unregister([]byte("b"), registry.ReasonStopped)
	clock.set(1006)
	register(t, r, 15, a)

	at := func(sec int64) time.Time { return time.Unix(sec, 0) }
	require.Equal(t, []registry.Event{
		{Seq: 1, Time: at(1000), Kind: registry.Registered, Owner: 11, Node: a, Transports: 1, Creation: 1001},
		{Seq: 2, Time: at(1001), Kind: registry.Registered, Owner: 12, Node: b, Transports: 1, Creation: 1}, // 1002 mod 3 + 1
		{Seq: 3, Time: at(1002), Kind: registry.Refused, Owner: 13, Node: a, Transports: 1, Refusal: registry.RefusedTaken},
		{Seq: 4, Time: at(1003), Kind: registry.Refused, Owner: 14, Node: bad, Refusal: registry.RefusedNameUTF8},
		{
			Seq: 5, Time: at(1004), Kind: registry.Unregistered, Owner: 11, Node: a, Creation: 1001,
			Reason: registry.ReasonData,
		},
		{
			Seq: 6, Time: at(1005), Kind: registry.Unregistered, Owner: 12, Node: b, Creation: 1,
			Reason: registry.ReasonStopped,
		},
		{Seq: 7, Time: at(1006), Kind: registry.Registered, Owner: 15, Node: a, Transports: 1, Creation: 1002},
	}, waiting(sub))
	require.Zero(t, sub.Dropped())
}

// One event for each name of an owner.
func TestEventsOfAnOwnerOfSeveral(t *testing.T) {
	r, clock := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	register(t, r, 1, otpNode("b", 2))
	sub, _ := r.Subscribe(10)
	defer sub.Close()
	r.Release(1, registry.ReasonShutdown)

	events := waiting(sub)
	require.Equal(t, []uint64{3, 4}, seqs(events))
	for i := range events {
		events[i].Seq = 0
	}
	want := registry.Event{
		Time: clock.t, Kind: registry.Unregistered, Owner: 1, Creation: 1001, Reason: registry.ReasonShutdown,
	}
	ofA, ofB := want, want
	ofA.Node, ofB.Node = otpNode("a", 1), otpNode("b", 2)
	require.ElementsMatch(t, []registry.Event{ofA, ofB}, events)
}

func TestEventsAreNotOfWhatChangesNothing(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	r.Release(1, registry.ReasonClosed)
	sub, _ := r.Subscribe(10)
	defer sub.Close()
	r.Release(1, registry.ReasonClosed)
	r.Release(2, registry.ReasonClosed)
	r.Unregister([]byte("a"), registry.ReasonStopped)
	r.Unregister([]byte("x"), registry.ReasonStopped)
	read(r)
	require.Empty(t, waiting(sub))
	require.Equal(t, uint64(2), r.Snapshot().Seq)
}

// Events are counted though nobody reads them, and a snapshot taken together
// with a subscription says where that begins.
func TestSubscribeGivesTheSnapshotBefore(t *testing.T) {
	r, _ := newRegistry(0)
	for i := range 4 {
		register(t, r, registry.Owner(i), otpNode(numbered(i), 1))
		sub, snapshot := r.Subscribe(10)
		require.Equal(t, uint64(2*i+1), snapshot.Seq)
		require.Len(t, snapshot.Nodes, i+1)
		require.Equal(t, r.Snapshot(), snapshot)
		require.Empty(t, waiting(sub))
		_, _ = r.Register(9, otpNode(numbered(i), 1))
		require.Equal(t, []uint64{snapshot.Seq + 1}, seqs(waiting(sub)))
		sub.Close()
	}
}

func TestSubscribeWithAFullBuffer(t *testing.T) {
	for buffer, size := range map[int]int{-1: 1, 0: 1, 1: 1, 2: 2, 3: 3} {
		r, _ := newRegistry(0)
		full, _ := r.Subscribe(buffer)
		roomy, _ := r.Subscribe(10)
		require.Equal(t, size, cap(full.C))
		for i := range 5 {
			register(t, r, registry.Owner(i), otpNode(numbered(i), 1))
			require.Equal(t, uint64(max(0, i+1-size)), full.Dropped())
		}
		require.Equal(t, []uint64{1, 2, 3, 4, 5}[:size], seqs(waiting(full)))

		// Once there is room again events come again: the gap tells of the dropped.
		register(t, r, 9, otpNode("another", 1))
		require.Equal(t, []uint64{6}, seqs(waiting(full)))
		require.Equal(t, uint64(5-size), full.Dropped())

		require.Equal(t, []uint64{1, 2, 3, 4, 5, 6}, seqs(waiting(roomy)))
		require.Zero(t, roomy.Dropped())
		full.Close()
		roomy.Close()
	}
}

func TestSubscriptionClose(t *testing.T) {
	r, _ := newRegistry(0)
	sub, _ := r.Subscribe(10)
	other, _ := r.Subscribe(10)
	register(t, r, 1, otpNode("a", 1))
	sub.Close()
	register(t, r, 2, otpNode("b", 2))
	sub.Close() // twice

	e, open := <-sub.C
	require.True(t, open, "an event from before may still wait")
	require.Equal(t, uint64(1), e.Seq)
	e, open = <-sub.C
	require.False(t, open)
	require.Zero(t, e)
	require.Zero(t, sub.Dropped())

	require.Equal(t, []uint64{1, 2}, seqs(waiting(other)))
	other.Close()
}

func TestEventKind(t *testing.T) {
	assert.Equal(t, "registered", registry.Registered.String())
	assert.Equal(t, "refused", registry.Refused.String())
	assert.Equal(t, "unregistered", registry.Unregistered.String())
	assert.Equal(t, "event 0", registry.EventKind(0).String())
	assert.Equal(t, "event 4", registry.EventKind(4).String())
	assert.Equal(t, "event 255", registry.EventKind(255).String())
}

func TestReason(t *testing.T) {
	labels := map[registry.Reason]string{
		registry.ReasonClosed: "closed", registry.ReasonData: "data", registry.ReasonStopped: "stopped",
		registry.ReasonUnanswered: "unanswered", registry.ReasonShutdown: "shutdown",
	}
	require.Len(t, labels, registry.NumReasons-1, "every reason is in the table")
	seen := map[string]bool{}
	for r := range 256 {
		label, known := labels[registry.Reason(r)]
		if !known {
			require.Equal(t, "unknown", registry.Reason(r).String())
			continue
		}
		require.Equal(t, label, registry.Reason(r).String())
		require.Less(t, r, registry.NumReasons)
		require.False(t, seen[label])
		seen[label] = true
	}
}

// TestUnregisterReason: the event tells the reason that was given, whichever.
func TestUnregisterReason(t *testing.T) {
	for _, why := range []registry.Reason{registry.ReasonClosed, registry.ReasonStopped, registry.ReasonShutdown} {
		r := registry.New(registry.Config{})
		_, err := r.Register(1, wire.Node{Name: "a"})
		require.NoError(t, err)
		sub, _ := r.Subscribe(1)
		require.Equal(t, []registry.Owner{1}, r.Unregister([]byte("a"), why))
		require.Equal(t, why, (<-sub.C).Reason)
		sub.Close()
	}
}
