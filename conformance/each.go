package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// instances are the scenarios that one in a file stands for.
func instances(n *yaml.Node) ([]Scenario, error) {
	var head struct {
		Each map[string]string `yaml:"each"`
	}
	if err := n.Decode(&head); err != nil {
		return nil, err
	}
	if head.Each == nil {
		s, err := instance(n, nil)
		return []Scenario{s}, err
	}
	rows, err := rows(head.Each)
	if err != nil {
		return nil, err
	}
	all := make([]Scenario, len(rows))
	for i, pairs := range rows {
		if all[i], err = instance(n, pairs); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// rows are the values of the keys, with the keys, as strings.NewReplacer takes them: it tries
// them in their order, so a key comes before another one that begins it.
func rows(each map[string]string) ([][]string, error) {
	var out [][]string
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(each))) {
		values := strings.Fields(each[key])
		if out == nil {
			out = make([][]string, len(values))
		}
		if len(values) != len(out) || len(out) == 0 {
			return nil, fmt.Errorf("each: the keys must have as many values, at least one: %s has %d", key, len(values))
		}
		for i, v := range values {
			out[i] = append(out[i], "$"+key, v)
		}
	}
	return out, nil
}

// instance is a scenario with "$key" replaced.
func instance(n *yaml.Node, pairs []string) (Scenario, error) {
	var s Scenario
	err := replaced(n, strings.NewReplacer(pairs...)).Decode(&s)
	if err == nil {
		err = known(n, "each", "name", "rule", "why", "daemon", "quiet", "steps", "differs")
	}
	s.Each = nil
	return s, err
}

// replaced is a copy of a node with all its texts replaced.
func replaced(n *yaml.Node, r *strings.Replacer) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = replaced(child, r)
	}
	if n.Kind == yaml.ScalarNode {
		c.Value = r.Replace(n.Value)
	}
	return &c
}

// known says which key of a mapping is not one of these: a misspelt one would be
// passed over.
func known(n *yaml.Node, keys ...string) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		found := false
		for _, k := range keys {
			found = found || n.Content[i].Value == k
		}
		if !found {
			return fmt.Errorf("line %d: a scenario has no %q", n.Content[i].Line, n.Content[i].Value)
		}
	}
	return nil
}
