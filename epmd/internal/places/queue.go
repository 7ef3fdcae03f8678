package places

import "sync/atomic"

type whichQueue uint8

const (
	queuedNowhere whichQueue = iota
	queuedUnfinished
	queuedRefused
)

// queue is connections in the order in which they came.
type queue[C Placed[C]] struct {
	first, last C
	n           atomic.Int64
}

func (q *queue[C]) len() int { return int(q.n.Load()) }

func (q *queue[C]) push(c C) {
	var none C
	s := c.place()
	s.prev, s.Next = q.last, none
	if q.last == none {
		q.first = c
	} else {
		q.last.place().Next = c
	}
	q.last = c
	q.n.Add(1)
}

func (q *queue[C]) remove(c C) {
	var none C
	s := c.place()
	if s.prev == none {
		q.first = s.Next
	} else {
		s.prev.place().Next = s.Next
	}
	if s.Next == none {
		q.last = s.prev
	} else {
		s.Next.place().prev = s.prev
	}
	s.prev, s.Next = none, none
	q.n.Add(-1)
}
