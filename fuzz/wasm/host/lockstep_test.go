package host

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/machine"
)

// scripts are random conversations.
func scripts(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		out[i] = make([]byte, 1000)
		for k := range out[i] {
			out[i][k] = byte(r.Uint32())
		}
	}
	return out
}

// TestLockstepRepeats: a machine does the same every time, and the conversations
// reach what there is to compare.
func TestLockstepRepeats(t *testing.T) {
	seen := make(map[string]bool)
	watched := func(o machine.Options) (machine.Daemon, error) {
		d, err := machine.Native(o)
		if err != nil {
			return nil, err
		}
		return &changed{Daemon: d, feed: func(r machine.Result) machine.Result {
			seen["verdict "+r.Verdict.String()] = true
			seen[r.Error] = true
			seen["tag "+r.Tag.String()] = true
			if r.Evicted != nil {
				seen["evicted"] = true
			}
			return r
		}, advance: func(late []machine.ConnID) []machine.ConnID {
			if late != nil {
				seen["late"] = true
			}
			return late
		}}, nil
	}
	for _, s := range scripts(1000) {
		_, err := Lockstep(s, machine.Native, watched)
		require.NoError(t, err)
	}
	for _, what := range []string{
		"verdict more", "verdict keep", "verdict close", "verdict stop daemon", "evicted", "late", "",
		"tag ALIVE2_REQ", "tag PORT_PLEASE2_REQ", "tag NAMES_REQ", "tag DUMP_REQ", "tag KILL_REQ", "tag STOP_REQ",
		"tag ALIVE3_REQ", "tag PORT_PLEASE3_REQ", "tag NAMES3_REQ", "tag DUMP3_REQ", "tag KILL3_REQ", "tag STOP3_REQ",
		"ALIVE3_REQ: transport is too long", "ALIVE3_REQ: transport holds a NUL byte", "PORT_PLEASE3_REQ: transports runs past the end of the message",
		"the name is already registered", "the name is not valid UTF-8", "the name is longer than 255 characters",
		"the extra field is longer than 1020 bytes", "packet: length is 0 or above 3057",
		"data on a connection that only holds a registration", "the session has ended",
		"the request is allowed to local peers only", "the request needs the relaxed command check",
	} {
		require.True(t, seen[what], "%q was never seen, only %v", what, seen)
	}
}

// changed is a daemon with something wrong about it.
type changed struct {
	machine.Daemon
	open    func(machine.ConnID) machine.ConnID
	want    func(int) int
	feed    func(machine.Result) machine.Result
	end     func(error) error
	advance func([]machine.ConnID) []machine.ConnID
	state   func(machine.State) machine.State
}

func (c *changed) Open(local bool) (machine.ConnID, error) {
	id, err := c.Daemon.Open(local)
	if c.open != nil {
		id = c.open(id)
	}
	return id, err
}

func (c *changed) Want(id machine.ConnID) (int, error) {
	n, err := c.Daemon.Want(id)
	if c.want != nil {
		n = c.want(n)
	}
	return n, err
}

func (c *changed) Feed(id machine.ConnID, b []byte) (machine.Result, error) {
	r, err := c.Daemon.Feed(id, b)
	if c.feed != nil {
		r = c.feed(r)
	}
	return r, err
}

func (c *changed) End(id machine.ConnID) error {
	err := c.Daemon.End(id)
	if c.end != nil {
		err = c.end(err)
	}
	return err
}

func (c *changed) Advance(ms int64) ([]machine.ConnID, error) {
	late, err := c.Daemon.Advance(ms)
	if c.advance != nil {
		late = c.advance(late)
	}
	return late, err
}

func (c *changed) State() (machine.State, error) {
	s, err := c.Daemon.State()
	if c.state != nil {
		s = c.state(s)
	}
	return s, err
}

// TestLockstepFindsDifferences: whatever differs is found, and named.
func TestLockstepFindsDifferences(t *testing.T) {
	tests := map[string]changed{
		"open":    {open: func(id machine.ConnID) machine.ConnID { return id + 1 }},
		"want":    {want: func(n int) int { return n - 1 }},
		"feed":    {feed: func(r machine.Result) machine.Result { r.Used ^= 1; return r }},
		"end":     {end: func(error) error { return machine.ErrStopped }},
		"advance": {advance: func(late []machine.ConnID) []machine.ConnID { return append(late, 1) }},
		"state":   {state: func(s machine.State) machine.State { s.Now++; return s }},
	}
	for what, c := range tests {
		t.Run(what, func(t *testing.T) {
			found := 0
			for _, s := range scripts(50) {
				_, err := Lockstep(s, machine.Native, func(o machine.Options) (machine.Daemon, error) {
					d, err := machine.Native(o)
					if err != nil {
						return nil, err
					}
					with := c
					with.Daemon = d
					return &with, nil
				})
				if err != nil {
					require.ErrorContains(t, err, what)
					found++
				}
			}
			require.Positive(t, found)
		})
	}
}

// TestLockstepFindsOtherOptions: so is one that was started differently.
func TestLockstepFindsOtherOptions(t *testing.T) {
	for name, change := range map[string]func(*machine.Options){
		"relaxed":   func(o *machine.Options) { o.Relaxed = !o.Relaxed },
		"restarts":  func(o *machine.Options) { o.TimeoutRestarts = !o.TimeoutRestarts },
		"timeout":   func(o *machine.Options) { o.PacketTimeout-- },
		"port":      func(o *machine.Options) { o.Port++ },
		"dialect":   func(o *machine.Options) { o.MultiTransport = !o.MultiTransport },
		"remember":  func(o *machine.Options) { o.Remember = 3 - o.Remember },
		"the start": func(o *machine.Options) { o.Now-- },
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for _, s := range scripts(200) {
				_, err := Lockstep(s, machine.Native, func(o machine.Options) (machine.Daemon, error) {
					change(&o)
					return machine.Native(o)
				})
				if err != nil {
					found++
				}
			}
			require.Positive(t, found)
		})
	}
}
