package nodes_test

import (
	"context"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance/nodes"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
)

var (
	// foreign are the scenarios with what other makers wrote.
	foreign = regexp.MustCompile(`^nodes-(java|ei|erl-call|nmap|ejabberd)`)
	// leaves are those whose nodes leave by STOP_REQ and come back at once.
	leaves = regexp.MustCompile(`^nodes-(java|ei)-restart$`)
	// onPortable are those, and some with Elixir and RabbitMQ, which TestNodes plays to the
	// program.
	onPortable = regexp.MustCompile(foreign.String() + `|^nodes-(elixir-names|elixir-ping|iex-piped|rabbitmq-start)$`)
)

// TestForeignClients plays them to both engines, and those about nodes that leave by STOP_REQ
// and come back once more with the relaxed command check.
func TestForeignClients(t *testing.T) {
	otptest.Heavy(t)
	here := images(t)
	path := program(t)
	suites := map[string]nodes.Suite{
		"epoll":            {Start: nodes.Program(path), Only: foreign.MatchString},
		"epoll-relaxed":    {Start: nodes.Program(path, "-relaxed_command_check"), Only: leaves.MatchString},
		"portable":         {Start: embedded(false), Only: onPortable.MatchString},
		"portable-relaxed": {Start: embedded(true), Only: leaves.MatchString},
	}
	if *daemon != "" { // it is not about ours
		maps.DeleteFunc(suites, func(name string, _ nodes.Suite) bool { return strings.HasPrefix(name, "portable") })
	}
	wanted := regexp.MustCompile(*only)
	for name, play := range suites {
		all := play.Only
		play.Only = func(name string) bool { return all(name) && wanted.MatchString(name) }
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait, mostly
			play.Images = here
			judge(t, play)
		})
	}
}

// embedded starts servers of this process, on the portable engine.
func embedded(relaxed bool) func(context.Context, uint16) (nodes.Daemon, error) {
	return func(ctx context.Context, port uint16) (nodes.Daemon, error) {
		s := &epmd.Server{Engine: epmd.EnginePortable, Port: port, RelaxedCommandCheck: relaxed}
		lns, err := s.Listen(ctx)
		if err != nil {
			return nil, err
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(lns...) }()
		return server{s, ended}, nil
	}
}

// server is a daemon that is embedded.
type server struct {
	*epmd.Server
	ended chan error
}

func (s server) Stop() error {
	err := s.Close()
	<-s.ended
	s.ended <- epmd.ErrServerClosed // for whoever stops it again
	return err
}

// TestForeignIsSome: there are such scenarios.
func TestForeignIsSome(t *testing.T) {
	n := 0
	for _, s := range nodes.Scenarios() {
		if foreign.MatchString(s.Name) {
			n++
		}
	}
	require.Equal(t, 7, n)
}
