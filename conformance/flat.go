package conformance

import (
	"encoding/hex"
	"strings"
)

// Flat is a scenario for programs in any language: bytes in hexadecimal, loops
// unrolled. It is what `epmd-conformance list -json` writes.
type Flat struct {
	Name    string        `json:"name"`
	Area    string        `json:"area"`
	Rule    string        `json:"rule"`
	Why     string        `json:"why"`
	Daemon  Config        `json:"daemon"`
	Quiet   bool          `json:"quiet,omitempty"`
	Steps   []FlatStep    `json:"steps"`
	Differs []FlatVariant `json:"differs,omitempty"`
}

// FlatVariant is a [Variant].
type FlatVariant struct {
	Since int        `json:"since"`
	Why   string     `json:"why"`
	Steps []FlatStep `json:"steps"`
}

// FlatStep is a [Step]: what happens on one connection, in the order of the fields.
type FlatStep struct {
	// Sleep is a pause in seconds.
	Sleep float64 `json:"sleep,omitempty"`
	// Conn names the connection; it is opened by its first step, and by the first one after it
	// was closed or reset. Open opens it, along a route if there is one, and closes it before
	// if need be. Refused says that nobody is to listen there.
	Conn    string `json:"conn,omitempty"`
	Open    bool   `json:"open,omitempty"`
	Route   *Route `json:"route,omitempty"`
	Refused bool   `json:"refused,omitempty"`
	// Send is the segments that are sent, in hexadecimal.
	Send []string `json:"send,omitempty"`
	// HalfClose, Close and Reset end the sending side, or the connection.
	HalfClose bool `json:"halfclose,omitempty"`
	Close     bool `json:"close,omitempty"`
	Reset     bool `json:"reset,omitempty"`
	// Recv is what must arrive: hexadecimal, with holes as scenarios write them,
	// "{creation:x+1}". Then says whether the connection is "open" or "closed" by then; empty
	// if the step does not look.
	Recv string `json:"recv,omitempty"`
	Then string `json:"then,omitempty"`
	// After is when it may be closed, in seconds since the step before, if that
	// matters: the earliest and the latest.
	After []float64 `json:"after,omitempty"`
	// Exits is the status with which the daemon ends.
	Exits *int `json:"exits,omitempty"`
	// Run is a command of the daemon's own program.
	Run *FlatRun `json:"run,omitempty"`
}

// FlatRun is a command, what it must print, as Recv is written, and its exit status.
type FlatRun struct {
	Args   []string `json:"args"`
	Env    []string `json:"env,omitempty"`
	Bare   bool     `json:"bare,omitempty"`
	Out    string   `json:"out"`
	Err    string   `json:"err"`
	Status int      `json:"status"`
}

// Flat writes a scenario out. Its error is ErrScenario.
func (s Scenario) Flat() (Flat, error) {
	f := Flat{Name: s.Name, Area: s.Area, Rule: s.Rule, Why: s.Why, Daemon: s.Daemon, Quiet: s.Quiet}
	var err error
	if f.Steps, err = flatSteps(nil, s.Steps); err != nil {
		return f, err
	}
	for _, v := range s.Differs {
		steps, err := flatSteps(nil, v.Steps)
		if err != nil {
			return f, err
		}
		f.Differs = append(f.Differs, FlatVariant{v.Since, v.Why, steps})
	}
	return f, nil
}

func flatSteps(out []FlatStep, steps []Step) ([]FlatStep, error) {
	for _, s := range steps {
		if s.kind != loops {
			out = append(out, s.flat())
			continue
		}
		for i := s.from; i <= s.to; i++ {
			round, err := s.round(i)
			if err != nil {
				return nil, err
			}
			if out, err = flatSteps(out, round); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (s Step) flat() FlatStep {
	f := FlatStep{
		Conn: s.conn, Open: s.kind == opens, Sleep: s.pause.Seconds(), Then: s.state, Refused: s.kind == isRefused,
		HalfClose: s.kind == halfCloses, Close: s.kind == closes, Reset: s.kind == resets,
	}
	for _, b := range s.segments {
		f.Send = append(f.Send, b.String())
	}
	switch s.kind {
	case opens, isRefused:
		if s.route != (Route{}) {
			f.Route = &s.route
		}
	case expects:
		f.Recv = s.want.String()
		if s.after != (span{}) {
			f.After = []float64{s.after.min.Seconds(), s.after.max.Seconds()}
		}
	case exits:
		f.Exits = &s.status
	case runs:
		f.Run = &FlatRun{s.call.Args, s.call.Env, s.call.Bare, s.out.String(), s.err.String(), s.status}
	}
	return f
}

// String is the bytes in hexadecimal, with holes as scenarios write them.
func (b Bytes) String() string {
	var s strings.Builder
	for _, p := range b {
		if p.Hole.Kind != "" {
			s.WriteString(p.Hole.String())
			continue
		}
		s.WriteString(hex.EncodeToString(p.Bytes))
	}
	return s.String()
}
