package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// status says what became of a mutant.
type status string

const (
	killed      status = "killed"
	timedOut    status = "timed out" // noticed as well: without the mutant there is an end
	survived    status = "survived"
	notReached  status = "not reached" // by any test: survived without being run
	notCompiled status = "not compiled"
)

// outcome is what became of a mutant, and what that holds for.
type outcome struct {
	ID      string  `json:"id"`
	Status  status  `json:"status"`
	By      failure `json:"by,omitzero"`
	Seconds float64 `json:"seconds"`
	Code    string  `json:"code"`
	Tests   string  `json:"tests"`
}

func (o outcome) noticed() bool { return o.Status == killed || o.Status == timedOut }

func (o outcome) String() string {
	if o.noticed() {
		return string(o.Status) + " by " + o.By.String()
	}
	return string(o.Status)
}

// journal keeps outcomes in a file, one a line, so that a run that was stopped goes on
// where it was. Without a file it keeps them in memory alone.
type journal struct {
	mu       sync.Mutex
	file     *os.File
	outcomes map[string]outcome
}

// openJournal reads the outcomes of a file, the last of each mutant, and goes on behind
// them. A last line that was cut off is dropped.
func openJournal(path string) (*journal, error) {
	j := &journal{outcomes: map[string]outcome{}}
	if path == "" {
		return j, nil
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for i, line := range bytes.Split(whole, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var o outcome
		if err := json.Unmarshal(line, &o); err != nil {
			return nil, fmt.Errorf("%s:%d: remove the file, or this line: %w", path, i+1, err)
		}
		j.outcomes[o.ID] = o
	}
	if j.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return nil, err
	}
	if err := j.file.Truncate(int64(len(whole))); err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	return j, nil
}

// known gives the outcome of a mutant if it still holds. With keep, a mutant that was
// noticed stays so though the tests have changed.
func (j *journal) known(id string, h hashes, keep bool) (outcome, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	o, ok := j.outcomes[id]
	return o, ok && o.Code == h.code && (o.Tests == h.tests || keep && o.noticed())
}

func (j *journal) add(o outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.outcomes[o.ID] = o
	if j.file == nil {
		return nil
	}
	line, err := json.Marshal(o)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	return err
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
