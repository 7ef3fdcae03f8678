package nodes

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/conformance"
)

// rabbit is a node of RabbitMQ.
type rabbit struct {
	*process
	name       string
	amqp, dist uint16
	box        *box
}

func (r *rabbit) full() string { return r.name + "@" + host }

// cluster is three nodes of RabbitMQ, which go through acts, one after the other.
type cluster struct {
	nodes  []*rabbit
	queue  quorumQueue
	lost   *rabbit
	acts   []act
	next   int  // the first act that was not begun
	failed bool // the last one that was begun
}

// act is what happens in one scenario.
type act struct {
	name, rule, why string
	run             func(*cluster, *trial)
}

func rabbitGroup() group {
	c := &cluster{acts: []act{
		{"start", "three nodes of RabbitMQ start with a daemon on ERL_EPMD_PORT, and are listed with their RABBITMQ_DIST_PORT, and nobody else",
			"no broker would start: it registers under three names before it is up", (*cluster).start},
		{"cluster", "rabbitmqctl finds each node, and the three become a cluster",
			"brokers find each other by nothing else than EPMD", (*cluster).join},
		{"quorum-queue", "a quorum queue has a member on each node, and takes messages",
			"its members find each other as nodes", (*cluster).declare},
		{"loss", "the node that leads the queue is killed: two nodes are listed, the queue elects another leader, and no message is lost",
			"a cluster is for that", (*cluster).lose},
		{"return", "the lost node starts again: three nodes are listed, and the queue has three members again",
			"a cluster would shrink for ever", (*cluster).comeBack},
	}}
	var lane []scenario
	for i, a := range c.acts {
		lane = append(lane, scenario{
			name: "nodes-rabbitmq-" + a.name, images: []string{apps},
			rule: "RabbitMQ: " + a.rule, why: a.why,
			run: func(t *trial) { c.play(t, i) },
		})
	}
	return group{lanes: [][]scenario{lane}}
}

// play plays an act, and those before it if that was not done.
func (c *cluster) play(t *trial, upTo int) {
	for c.next <= upTo {
		if c.failed {
			t.fail("it cannot be played: %s went wrong before", c.acts[c.next-1].name)
		}
		a := c.acts[c.next]
		c.failed = true
		c.next++
		a.run(c, t)
		c.failed = false
	}
}

func (c *cluster) start(t *trial) {
	b, err := t.stage.hall.box(t.ctx, apps)
	t.must(err)
	files := make(map[string][]byte)
	for _, name := range []string{"rabbit1", "rabbit2", "rabbit3"} {
		r := &rabbit{name: name, box: b}
		for _, port := range []*uint16{&r.amqp, &r.dist} {
			*port, err = conformance.FreePort()
			t.must(err)
		}
		files[home(name)[1:]+"/.erlang.cookie"] = []byte(cookie)
		files[home(name)[1:]+"/plugins"] = []byte("[].\n")
		c.nodes = append(c.nodes, r)
	}
	t.must(b.upload(t.ctx, files))
	c.boot(t, c.nodes...)
	c.listed(t, c.nodes)
}

// boot starts nodes one after another, each of which must be up before the next: brokers
// that start side by side make each other late.
func (c *cluster) boot(t *trial, nodes ...*rabbit) {
	done, err := t.stage.turn(t.ctx)
	t.must(err)
	defer done()
	for _, r := range nodes {
		r.boot(t)
	}
}

// boot starts the node, and waits until it is up.
func (r *rabbit) boot(t *trial) {
	r.process = r.box.start(r.command(t, "rabbitmq-server"))
	t.step("start "+r.full(), "")
	r.awaitStartup(t)
}

// command is a program of RabbitMQ for this node.
func (r *rabbit) command(t *trial, args ...string) command {
	c := inHome(r.name, t.daemon().port, args...)
	at := home(r.name)
	c.env = append(c.env,
		"RABBITMQ_NODENAME="+r.full(), "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		fmt.Sprintf("RABBITMQ_NODE_PORT=%d", r.amqp), fmt.Sprintf("RABBITMQ_DIST_PORT=%d", r.dist),
		"RABBITMQ_MNESIA_BASE="+at+"/mnesia", "RABBITMQ_LOG_BASE="+at+"/log", "RABBITMQ_LOGS=-",
		"RABBITMQ_ENABLED_PLUGINS_FILE="+at+"/plugins", "RABBITMQ_PID_FILE="+at+"/pid",
		"RABBITMQ_CONFIG_FILE="+at+"/none", "RABBITMQ_ADVANCED_CONFIG_FILE="+at+"/none",
	)
	return c
}

// ctl runs rabbitmqctl for this node, which must succeed.
func (r *rabbit) ctl(t *trial, args ...string) string {
	printed, status, err := r.box.run(t.ctx, r.command(t, append([]string{"rabbitmqctl"}, args...)...))
	t.must(err)
	what := "rabbitmqctl -n " + r.name + " " + strings.Join(args, " ")
	t.step(what, printed)
	if status != 0 {
		t.fail("%s ended with status %d:\n%s\n%s printed last:\n%s", what, status, tail(printed), r.name, tail(r.printed()))
	}
	return printed
}

func (r *rabbit) awaitStartup(t *trial) {
	t.until(starting, r.name+" is up", func() string {
		select {
		case <-r.ended:
			t.fail("%s has ended:\n%s", r.name, tail(r.printed()))
		default:
		}
		if !contains(r.printed(), "Server startup complete") {
			return "it printed last:\n" + tail(r.printed())
		}
		return ""
	})
}

// listed makes sure that these nodes and nobody else are registered; tools of RabbitMQ
// may still be leaving.
func (c *cluster) listed(t *trial, nodes []*rabbit) {
	want := make(map[string]uint16)
	for _, r := range nodes {
		want[r.name] = r.dist
	}
	t.until(patience, "listed are "+portList(want), func() string {
		if got := portList(t.ports()); got != portList(want) {
			return "listed are " + got
		}
		return ""
	})
}

func (c *cluster) join(t *trial) {
	first := c.nodes[0]
	for _, r := range c.nodes[1:] {
		r.ctl(t, "stop_app")
		r.ctl(t, "join_cluster", first.full())
		r.ctl(t, "start_app")
	}
	for _, r := range c.nodes {
		c.runs(t, r, c.nodes)
	}
	c.listed(t, c.nodes)
}

// runs waits until a node says that these nodes run.
func (c *cluster) runs(t *trial, asked *rabbit, nodes []*rabbit) {
	var want []string
	for _, r := range nodes {
		want = append(want, r.full())
	}
	t.until(patience, fmt.Sprintf("%s says that %s run", asked.name, want), func() string {
		var status struct {
			Running []string `json:"running_nodes"`
		}
		asked.json(t, &status, "cluster_status")
		if slices.Sort(status.Running); !slices.Equal(status.Running, want) {
			return fmt.Sprintf("it says %s", status.Running)
		}
		return ""
	})
}

// json runs a command of rabbitmqctl and reads its answer.
func (r *rabbit) json(t *trial, into any, args ...string) {
	printed := r.ctl(t, append(args, "--formatter", "json", "--silent")...)
	if err := json.Unmarshal([]byte(printed), into); err != nil {
		t.fail("rabbitmqctl %s printed %s: %v", args, printed, err)
	}
}

func (c *cluster) lose(t *trial) {
	c.lost = c.nodes[slices.IndexFunc(c.nodes, func(r *rabbit) bool { return r.full() == c.queue.leader })]
	left := slices.DeleteFunc(slices.Clone(c.nodes), func(r *rabbit) bool { return r == c.lost })
	t.must(c.lost.box.shell(t.ctx, "kill -KILL $(cat "+home(c.lost.name)+"/pid)"))
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	_, err := c.lost.wait(ctx)
	t.must(err)
	t.step("kill "+c.lost.full(), "")
	c.listed(t, left)
	for _, r := range left {
		c.runs(t, r, left)
	}
	c.queue.publish(t, left[0], "after the loss")
	c.queue.drain(t, left[1])
}

func (c *cluster) comeBack(t *trial) {
	c.boot(t, c.lost)
	c.listed(t, c.nodes)
	for _, r := range c.nodes {
		c.runs(t, r, c.nodes)
	}
	c.queue.members(t, c.lost, c.nodes)
	c.queue.publish(t, c.lost, "after the return")
	c.queue.drain(t, c.nodes[0])
}
