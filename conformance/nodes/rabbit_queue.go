package nodes

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// quorumQueue is a queue, and what was put into it and not taken out.
type quorumQueue struct {
	leader string
	inside []string
}

const queueName = "goepmd"

// channel connects to a node by AMQP, until the trial's patience is over or done is
// called.
func (r *rabbit) channel(t *trial) (_ context.Context, _ *amqp.Channel, done func()) {
	ctx, cancel := context.WithTimeoutCause(t.ctx, patience, fmt.Errorf("AMQP: not within %v", patience))
	conn, err := amqp.DialConfig(fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", r.amqp), amqp.Config{
		Heartbeat: 10 * time.Second,
		Dial: func(network, addr string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, addr)
		},
	})
	if err != nil {
		cancel()
		t.fail("connect to %s by AMQP: %v", r.name, err)
	}
	// Some calls have no context, so its end closes the connection under them.
	stop := context.AfterFunc(ctx, func() { _ = conn.CloseDeadline(time.Now()) })
	done = func() { stop(); _ = conn.Close(); cancel() } // what it showed is over
	ch, err := conn.Channel()
	if err != nil {
		done()
		t.fail("a channel to %s: %v", r.name, err)
	}
	return ctx, ch, done
}

func (c *cluster) declare(t *trial) {
	_, ch, done := c.nodes[0].channel(t)
	defer done()
	_, err := ch.QueueDeclare(queueName, true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
	t.must(err)
	t.step("declare a quorum queue", "")
	c.queue.members(t, c.nodes[0], c.nodes)
	c.queue.publish(t, c.nodes[1], "before the loss")
}

// members waits until the queue has a living member on each of the nodes, and keeps who
// leads.
func (q *quorumQueue) members(t *trial, asked *rabbit, nodes []*rabbit) {
	var want []string
	for _, r := range nodes {
		want = append(want, r.full())
	}
	t.until(patience, fmt.Sprintf("the queue lives on %s", want), func() string {
		var queues []struct {
			Name, Type, Leader string
			Online             []string
		}
		asked.json(t, &queues, "list_queues", "name", "type", "leader", "online")
		if len(queues) != 1 || queues[0].Type != "quorum" {
			return fmt.Sprintf("queues are %+v", queues)
		}
		q.leader = queues[0].Leader
		if slices.Sort(queues[0].Online); !slices.Equal(queues[0].Online, want) || !slices.Contains(want, q.leader) {
			return fmt.Sprintf("it is %+v", queues[0])
		}
		return ""
	})
	t.step("who leads the queue", q.leader)
}

// publish puts ten messages into the queue through a node, which must confirm each. While the
// queue has no leader a broker may refuse one: then it is sent again.
func (q *quorumQueue) publish(t *trial, r *rabbit, what string) {
	ctx, ch, done := r.channel(t)
	defer done()
	t.must(ch.Confirm(false))
	for i := range 10 {
		body := fmt.Sprintf("%s %d", what, i)
		t.until(patience, fmt.Sprintf("%s confirms %q", r.name, body), func() string {
			confirmation, err := ch.PublishWithDeferredConfirmWithContext(ctx, "", queueName, true, false,
				amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(body)})
			t.must(err)
			confirmed, err := confirmation.WaitContext(ctx)
			t.must(err)
			if !confirmed {
				return "it refuses"
			}
			return ""
		})
		q.inside = append(q.inside, body)
	}
	t.step("publish ten messages through "+r.name, "confirmed")
}

// drain takes all messages out through a node: none is missing.
func (q *quorumQueue) drain(t *trial, r *rabbit) {
	_, ch, done := r.channel(t)
	defer done()
	got := make(map[string]bool)
	t.until(patience, "all messages have come out through "+r.name, func() string {
		for {
			m, ok, err := ch.Get(queueName, true)
			if err != nil {
				t.fail("get a message from %s: %v", r.name, err)
			}
			if !ok {
				break
			}
			got[string(m.Body)] = true
		}
		var missing []string
		for _, body := range q.inside {
			if !got[body] {
				missing = append(missing, body)
			}
		}
		return strings.Join(missing, ", ")
	})
	q.inside = nil
}
