package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrUnsupported says that a target cannot give what a scenario needs; its text
// says what and why. The scenario is then skipped, loudly.
var ErrUnsupported = errors.New("not possible with this target")

// Unsupported is an error that is [ErrUnsupported], with a reason.
func Unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}

// Target is an EPMD to test. It is used by several goroutines at once.
type Target interface {
	// Name is what reports call it.
	Name() string
	// Start gives a daemon that has just begun to listen, fresh for one
	// scenario. It fails with [ErrUnsupported] if it cannot do what the config
	// asks for, with an [ExitError] if the daemon ended instead of listening, and
	// else with an error of this side.
	Start(ctx context.Context, c Config) (Daemon, error)
}

// Config is how a scenario wants its daemon.
type Config struct {
	// Flags and Env, as "NAME=value", are what the daemon is started with besides
	// its port. The port is given by ERL_EPMD_PORT if PortByEnv is set, else by -port.
	Flags     []string `yaml:"flags,omitempty" json:"flags,omitempty"`
	Env       []string `yaml:"env,omitempty" json:"env,omitempty"`
	PortByEnv bool     `yaml:"port_by_env,omitempty" json:"portByEnv,omitempty"`
	// MultiTransport asks for a daemon that speaks the multi-transport extension:
	// with the flag -multi_transport. One that does not begin to listen with it does
	// not offer it, and the scenario is skipped.
	MultiTransport bool `yaml:"multi_transport,omitempty" json:"multiTransport,omitempty"`
	// TakenGrace asks for a daemon whose holder of a name has so many milliseconds to end
	// before another registration of it is refused: with the flag -taken_grace. One that
	// does not begin to listen with it has no such time, and the scenario is skipped.
	TakenGrace int `yaml:"taken_grace,omitempty" json:"takenGrace,omitempty"`
	// Fresh says that the daemon must not have been used before, and may be ended. It is
	// found from the steps.
	Fresh bool `yaml:"-" json:"fresh,omitempty"`
	// NoPast says that the daemon must not remember any name. It is found from the steps.
	NoPast bool `yaml:"-" json:"noPast,omitempty"`
	// Files bounds the daemon's open files; zero leaves the target's own limit.
	Files int `yaml:"files,omitempty" json:"files,omitempty"`
}

// Plain says that the daemon is to run without any option.
func (c Config) Plain() bool {
	return len(c.Flags) == 0 && len(c.Env) == 0 && !c.PortByEnv && !c.MultiTransport && c.TakenGrace == 0 && c.Files == 0
}

// Daemon is a running EPMD. It is used by one goroutine at a time.
type Daemon interface {
	// Port is the daemon's own port, as its lists tell it.
	Port() uint16
	// Dial connects to the daemon at an address from an address of this
	// machine. It fails with [ErrRefused] if nobody listens there.
	Dial(ctx context.Context, r Route) (Conn, error)
	// Exit waits for the daemon's end, until the context ends, and gives its exit status.
	Exit(ctx context.Context) (int, error)
	// Command runs a command of the target's own program, such as -names, with the
	// daemon's port, which is given as the config says. It fails with [ErrUnsupported] if
	// there is no program.
	Command(ctx context.Context, c Command) (Output, error)
	// Close ends the daemon and frees what it holds; doing so again is fine.
	Close() error
}

// ErrRefused says that nobody listens at an address.
var ErrRefused = errors.New("connection refused")

// Route is the two ends of a connection. The zero value is the usual loopback
// address of IPv4, from any.
type Route struct {
	// To is the daemon's address, and From the one to connect from.
	To   End `json:"to,omitempty"`
	From End `json:"from,omitempty"`
}

// End is an IP address, or [OutsideIPv4] or [OutsideIPv6]. Empty leaves it open.
type End string

// Addresses of this machine that are not loopback ones, if it has such. A daemon that is
// reached at a loopback address takes a peer with such an address for a remote one.
const (
	OutsideIPv4 End = "outside"
	OutsideIPv6 End = "outside6"
)

// Command is a call of the daemon's own program.
type Command struct {
	Args []string
	// Env, as "NAME=value", is added to the environment.
	Env []string
	// Bare leaves out the daemon's port.
	Bare bool
}

// Output is what a command printed, and how it ended.
type Output struct {
	Stdout, Stderr []byte
	Status         int
}

// ExitError is the end of a daemon that should have listened.
type ExitError struct{ Output }

func (e *ExitError) Error() string {
	return fmt.Sprintf("the daemon ended with status %d instead of listening: %s%s", e.Status, e.Stdout, e.Stderr)
}

// Conn is a connection to a daemon.
type Conn interface {
	// Send sends bytes as one segment, HalfClose ends the sending side, Close
	// closes, and Reset breaks the connection. That the daemon has closed it
	// meanwhile is no error: Recv tells.
	Send(b []byte) error
	HalfClose() error
	Close() error
	Reset() error
	// Recv appends what has arrived to b, and says whether the daemon has closed the
	// connection. If nothing has happened it waits for so long that something does; zero
	// does not wait.
	Recv(b []byte, wait time.Duration) (all []byte, state State, err error)
}

// State is whether and how a daemon has closed a connection.
type State uint8

// The states.
const (
	StillOpen State = iota
	WasClosed       // in good order
	WasReset        // with something left unread; data may be lost
)
