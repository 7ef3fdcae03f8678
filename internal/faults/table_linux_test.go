package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// reportsEnv names a folder for the table.
const reportsEnv = "GOEPMD_REPORTS"

// table is what came of each experiment, by subject.
type table struct {
	experiments []string
	cells       map[string]map[string]string
}

func (t *table) note(experiment, subject, cell string) {
	if t.cells == nil {
		t.cells = make(map[string]map[string]string)
	}
	if t.cells[experiment] == nil {
		t.experiments = append(t.experiments, experiment)
		t.cells[experiment] = make(map[string]string)
	}
	t.cells[experiment][subject] = cell
}

// String is the table in Markdown.
func (t *table) String() string {
	names := make([]string, 0, len(subjects))
	for _, s := range subjects {
		names = append(names, s.name)
	}
	if i := slices.Index(names, otp); i >= 0 {
		names[i] = otpName()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| experiment | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, e := range t.experiments {
		b.WriteString("| " + e)
		for _, s := range subjects {
			cell := t.cells[e][s.name]
			if cell == "" {
				cell = "was not run"
			}
			b.WriteString(" | " + cell)
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// show prints the table, and keeps it in a file if there is a folder for reports.
func (t *table) show() error {
	if len(t.experiments) == 0 {
		return nil
	}
	fmt.Print("\n" + t.String() + "\n")
	dir := os.Getenv(reportsEnv)
	if dir == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "faults.md"), []byte(t.String()), 0o644)
}
