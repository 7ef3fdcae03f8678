package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Deviation is what a target is meant to do in place of what OTP's epmd does in a scenario.
type Deviation struct {
	// Why says what it does, and what for.
	Why string `yaml:"why"`
	// Quiet is as that of a [Scenario], for these steps.
	Quiet bool `yaml:"quiet"`
	// Steps take the place of the scenario's.
	Steps []Step `yaml:"steps"`
}

// Deviations are those of a target, by the names of scenarios.
type Deviations map[string]Deviation

// ReadDeviations reads the text of a file of deviations from scenarios. One of a scenario
// that is not there, or without a reason or steps, is an error.
func ReadDeviations(text []byte, scenarios []Scenario) (Deviations, error) {
	var all Deviations
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("deviations: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		switch {
		case !slices.ContainsFunc(scenarios, func(s Scenario) bool { return s.Name == name }):
			return nil, fmt.Errorf("deviations: there is no scenario %s", name)
		case d.Why == "":
			return nil, fmt.Errorf("deviations: %s has no reason", name)
		case len(d.Steps) == 0:
			return nil, fmt.Errorf("deviations: %s has no steps: they say what comes instead", name)
		}
		if err := checkSteps(d.Steps); err != nil {
			return nil, fmt.Errorf("deviations: %s: %w", name, err)
		}
	}
	return all, nil
}
