package conformance

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Scenario is one thing that a correct EPMD does, and how to see it.
type Scenario struct {
	// Each makes several scenarios of one: its values, separated by blanks, stand one
	// after the other in the place of "$key" in all texts. All keys have as many.
	Each map[string]string `yaml:"each" json:"-"`
	// Name is its name for ever: "alive-highest-6".
	Name string `yaml:"name" json:"name"`
	// Area is the part of the protocol that it is about: the file's.
	Area string `yaml:"-" json:"area"`
	// Rule is what it checks, and Why is what would go wrong without.
	Rule string `yaml:"rule" json:"rule"`
	Why  string `yaml:"why" json:"why,omitempty"`
	// Daemon is how the daemon is started.
	Daemon Config `yaml:"daemon" json:"daemon"`
	// Quiet says that a request on another connection tells nothing about this
	// one, since the daemon is full, slow on purpose, or not one: that nothing comes
	// is then found by waiting.
	Quiet bool `yaml:"quiet" json:"quiet,omitempty"`
	// Steps are what happens with all versions of OTP, or with those before the
	// first of Differs.
	Steps []Step `yaml:"steps" json:"steps"`
	// Differs is what happens from later versions on, the oldest first.
	Differs []Variant `yaml:"differs" json:"differs,omitempty"`
}

// Variant is a scenario as it goes since a version of OTP.
type Variant struct {
	// Since is the first version: 29.
	Since int `yaml:"since" json:"since"`
	// Why says what changed.
	Why   string `yaml:"why" json:"why"`
	Steps []Step `yaml:"steps" json:"steps"`
}

// At gives the steps as they go with a version of OTP.
func (s Scenario) At(otp int) []Step {
	steps := s.Steps
	for _, v := range s.Differs {
		if otp >= v.Since {
			steps = v.Steps
		}
	}
	return steps
}

//go:embed scenarios/*.yaml
var embedded embed.FS

// Scenarios are those of the suite, in the order of its files. Each call gives a
// list of its own.
func Scenarios() ([]Scenario, error) {
	files, err := fs.Sub(embedded, "scenarios")
	if err != nil {
		return nil, err
	}
	return Load(files)
}

// file is what a file of scenarios holds.
type file struct {
	// Area is what its scenarios are about, and About says so in a sentence.
	Area      string      `yaml:"area"`
	About     string      `yaml:"about"`
	Scenarios []yaml.Node `yaml:"scenarios"`
}

// ErrScenario says that a scenario is not written well.
var ErrScenario = errors.New("bad scenario")

// Load reads scenarios from all *.yaml files of a folder, by their names. Its error
// is ErrScenario, or one of reading.
func Load(folder fs.FS) ([]Scenario, error) {
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, err
	}
	var all []Scenario
	seen := make(map[string]string)
	for _, name := range names {
		some, err := loadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, s := range some {
			if in, twice := seen[s.Name]; twice {
				return nil, fmt.Errorf("%w: %s stands in %s and in %s", ErrScenario, s.Name, in, name)
			}
			seen[s.Name] = name
		}
		all = append(all, some...)
	}
	return all, nil
}

func loadFile(folder fs.FS, name string) ([]Scenario, error) {
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	var f file
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScenario, err)
	}
	if want := strings.TrimSuffix(path.Base(name), ".yaml"); f.Area != want || f.About == "" {
		return nil, fmt.Errorf("%w: the area must be %q, as the file is called, and have its about", ErrScenario, want)
	}
	var all []Scenario
	for _, n := range f.Scenarios {
		some, err := instances(&n)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrScenario, n.Line, err)
		}
		for _, s := range some {
			s.Area = f.Area
			s.Daemon.Fresh, s.Daemon.NoPast = s.step(Step.needsFresh), s.step(Step.needsNoPast)
			if err := s.check(); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrScenario, s.Name, err)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

var goodName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// check says what is missing or makes no sense.
func (s *Scenario) check() error {
	switch {
	case !goodName.MatchString(s.Name):
		return fmt.Errorf("a name is of lower case letters, digits and hyphens, not %q", s.Name)
	case s.Rule == "":
		return errors.New("it says no rule")
	case len(s.Steps) == 0:
		return errors.New("it has no steps")
	}
	since := 0
	for _, v := range s.Differs {
		if v.Since <= since || v.Why == "" || len(v.Steps) == 0 {
			return errors.New("what differs needs a later version than the one before, a reason and steps")
		}
		since = v.Since
		if err := checkSteps(v.Steps); err != nil {
			return err
		}
	}
	return checkSteps(s.Steps)
}

// checkSteps makes sure that something is looked at, and last.
func checkSteps(steps []Step) error {
	if !slices.ContainsFunc(steps, Step.looks) {
		return errors.New("it expects nothing")
	}
	return nil
}
