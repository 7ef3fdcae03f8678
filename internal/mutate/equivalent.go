package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// reasonsFile is where it stands why no test can notice a mutant: its id and a sentence,
// one mutant a line. Lines that begin with # are for people.
const reasonsFile = "internal/mutate/equivalent.txt"

// readReasons reads why mutants are equivalent, by their ids.
func readReasons(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	reasons := map[string]string{}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, why, _ := strings.Cut(line, " ")
		if _, twice := reasons[id]; twice || strings.TrimSpace(why) == "" {
			return nil, fmt.Errorf("%s:%d: a line is an id, once, and the reason", path, i+1)
		}
		reasons[id] = strings.TrimSpace(why)
	}
	return reasons, nil
}
