package bench

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Mode is a kind of load.
type Mode string

// The modes. Each runs beside nodes that are registered and stay.
const (
	// Lookup asks for the port of a registered node, chosen at random.
	Lookup Mode = "lookup"
	// Names asks for the list of all nodes and reads it to the end.
	Names Mode = "names"
	// Register registers a node under a name that was never used, and closes the
	// connection: so do command line tools, which have a name for each process.
	Register Mode = "register"
	// Restart is Register under few names in turn: so do nodes that restart.
	Restart Mode = "restart"
	// Churn is one registration that comes, and one that goes, to three lookups.
	Churn Mode = "churn"
	// Idle registers nodes, holds them, and lets all go at once.
	Idle Mode = "idle"
)

// Modes are all modes, in the order in which they are shown.
var Modes = []Mode{Lookup, Names, Register, Restart, Churn, Idle}

// A Program is an EPMD program with the flags of OTP's.
type Program struct {
	Name string   `json:"name"` // what to call it
	Path string   `json:"path"`
	Args []string `json:"args,omitempty"` // in front of -port and -address
}

// ParseProgram reads "PATH" or "NAME=PATH". Without a name it is the path's last part.
func ParseProgram(s string) (Program, error) {
	name, path, named := strings.Cut(s, "=")
	if !named {
		name, path = filepath.Base(s), s
	}
	if name == "" || path == "" {
		return Program{}, fmt.Errorf("%q is no program: give PATH or NAME=PATH", s)
	}
	return Program{Name: name, Path: path}, nil
}

// A Plan says what to measure.
type Plan struct {
	A     Program `json:"a"`
	B     Program `json:"b"`
	Modes []Mode  `json:"modes"`
	// Nodes are the numbers of registered nodes, each from 1 to MaxNodes.
	Nodes []int `json:"nodes"`
	// Pairs is how often each program is measured in each mode at each number.
	Pairs int `json:"pairs"`
	// Time is how long a load is measured, after a fifth of it to warm up. In
	// the mode idle it is how long nodes are held before memory is read.
	Time time.Duration `json:"time_ns"`
	// Clients is how many do one operation after the other, from 1 to MaxClients.
	Clients int `json:"clients"`
}

// The bounds of a plan.
const (
	MaxNodes   = 1_000_000
	MaxClients = 60
)

// Check says what is wrong with a plan.
func (p Plan) Check() error {
	switch {
	case len(p.Modes) == 0:
		return errors.New("name a mode")
	case len(p.Nodes) == 0:
		return errors.New("name a number of nodes")
	case p.Pairs < 1:
		return fmt.Errorf("%d pairs are too few: give 1 or more", p.Pairs)
	case p.Time <= 0:
		return fmt.Errorf("%v is no time to measure: give more than 0", p.Time)
	case p.Clients < 1 || p.Clients > MaxClients:
		return fmt.Errorf("%d clients: give 1 to %d", p.Clients, MaxClients)
	}
	for _, m := range p.Modes {
		if !slices.Contains(Modes, m) {
			return fmt.Errorf("there is no mode %q: give some of %v", m, Modes)
		}
	}
	for _, n := range p.Nodes {
		if n < 1 || n > MaxNodes {
			return fmt.Errorf("%d nodes: give 1 to %d", n, MaxNodes)
		}
	}
	return nil
}
