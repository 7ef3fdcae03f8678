package nodes

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/goepmd/goepmd/conformance"
)

// Area is the area of all scenarios here.
const Area = "nodes"

// Versions are those of OTP that take part, the oldest first.
var versions = []int{23, 25, 27, 29}

// apps is the name of the image with Elixir and RabbitMQ.
const apps = "apps"

// scenario is one thing that real nodes do with a daemon.
type scenario struct {
	name, rule, why string
	images          []string
	// several says that it needs Suite.MultiTransport.
	several bool
	run     func(*trial)
}

// Scenarios are all there are, by name, rule and reason; they have no steps.
func Scenarios() []conformance.Scenario {
	var all []conformance.Scenario
	for _, g := range groups() {
		for _, s := range g.scenarios() {
			all = append(all, conformance.Scenario{Name: s.name, Area: Area, Rule: s.rule, Why: s.why})
		}
	}
	return all
}

// group is scenarios that share a daemon, and nodes.
type group struct {
	// start gives what starts the daemon of the group; nil is Suite.Start.
	start func(*run) starter
	// warm are nodes to start at once, since scenarios will need them.
	warm []spec
	// first are played before the lanes, which are played side by side.
	first []scenario
	lanes [][]scenario
}

func groups() []group {
	all := []group{rabbitGroup(), tlsGroup(), plainGroup(), elixirGroup(), inet6Group(), carrierGroup()}
	return slices.Concat(all, restartGroups(), severalGroups(), []group{javaGroup(), eiGroup(), nmapGroup(), ejabberdGroup()})
}

func (g group) scenarios() []scenario {
	return slices.Concat(append([][]scenario{g.first}, g.lanes...)...)
}

// only leaves the scenarios that are wanted.
func (g group) only(want func(name string) bool) group {
	unwanted := func(s scenario) bool { return !want(s.name) }
	out := group{start: g.start, warm: g.warm, first: slices.DeleteFunc(slices.Clone(g.first), unwanted)}
	for _, lane := range g.lanes {
		if lane = slices.DeleteFunc(slices.Clone(lane), unwanted); len(lane) > 0 {
			out.lanes = append(out.lanes, lane)
		}
	}
	if len(out.scenarios()) < len(g.scenarios()) {
		out.warm = nil // perhaps nobody needs them
	}
	return out
}

// each makes a scenario of each version. In the texts %d is the version.
func each(name, rule, why string, run func(t *trial, otp int)) []scenario {
	var all []scenario
	for _, otp := range versions {
		all = append(all, scenario{
			name:   fmt.Sprintf("nodes-%s-%d", name, otp),
			rule:   fmt.Sprintf("OTP %d: %s", otp, rule),
			why:    why,
			images: []string{strconv.Itoa(otp)},
			run:    func(t *trial) { run(t, otp) },
		})
	}
	return all
}

// across puts the scenarios of one version into one lane.
func across(kinds ...[]scenario) [][]scenario {
	lanes := make([][]scenario, len(versions))
	for i := range versions {
		for _, kind := range kinds {
			lanes[i] = append(lanes[i], kind[i])
		}
	}
	return lanes
}
