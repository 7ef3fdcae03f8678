package conformance

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// ReadDeviations reads the text of a file of deviations: the names of scenarios, and
// behind each why the target is meant to do something else.
func ReadDeviations(text []byte) (map[string]string, error) {
	var m map[string]string
	if err := yaml.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("deviations: %w", err)
	}
	for name, why := range m {
		if why == "" {
			return nil, fmt.Errorf("deviations: %s has no reason", name)
		}
	}
	return m, nil
}
