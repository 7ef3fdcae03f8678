package places

import "sync/atomic"

type whichQueue uint8

const (
	queuedNowhere whichQueue = iota
	queuedUnfinished
	QueuedRefused
)

// queue is connections in the order in which they came.
type queue[C Seated[C]] struct {
	First, last C
	n           atomic.Int64
}

func (q *queue[C]) Len() int { return int(q.n.Load()) }

func (q *queue[C]) push(c C) {
	var none C
	s := c.Place()
	s.prev, s.Next = q.last, none
	if q.last == none {
		q.First = c
	} else {
		q.last.Place().Next = c
	}
	q.last = c
	q.n.Add(1)
}

func (q *queue[C]) remove(c C) {
	var none C
	s := c.Place()
	if s.prev == none {
		q.First = s.Next
	} else {
		s.prev.Place().Next = s.Next
	}
	if s.Next == none {
		q.last = s.prev
	} else {
		s.Next.Place().prev = s.prev
	}
	s.prev, s.Next = none, none
	q.n.Add(-1)
}

// oldest is the one that has waited longest and is not being worked on. As few
// are as there are threads.
func (q *queue[C]) oldest() C {
	var none C
	for c := q.First; c != none; c = c.Place().Next {
		if !c.Place().Busy {
			return c
		}
	}
	return none
}
