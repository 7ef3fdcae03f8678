package main

import (
	"fmt"
	"strings"
)

// mutant is one small wrong change of a file.
type mutant struct {
	// ID is package/function/operator/hash. The hash is of the change and its line, so
	// that an id survives every edit but one of the line itself.
	ID       string `json:"id"`
	Package  string `json:"-"`    // its import path below the module
	File     string `json:"file"` // below the module's root, with slashes
	Line     int    `json:"line"`
	Operator string `json:"operator"`
	Old      string `json:"old"` // the changed text, as one line
	New      string `json:"new"`

	column     int
	start, end int // the bytes of the file that text replaces
	text       string
	helper     bool      // text calls zeroHelper
	in         *function // nil at the level of the package
}

// zeroHelper follows a file in which a value becomes the zero value of its type: the
// value is still worked out, so that the mutant compiles.
const zeroHelper = "\nfunc mutateZero[T any](T) (zero T) { return }\n"

// apply gives the mutated file.
func (m mutant) apply(src []byte) []byte {
	out := string(src[:m.start]) + m.text + string(src[m.end:])
	if m.helper {
		out += zeroHelper
	}
	return []byte(out)
}

func (m mutant) place() string { return fmt.Sprintf("%s:%d", m.File, m.Line) }

func (m mutant) change() string { return fmt.Sprintf("`%s` → `%s`", m.Old, m.New) }

// oneLine is source text as one short line.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "`", "'")
	if r := []rune(s); len(r) > 90 {
		s = string(r[:89]) + "…"
	}
	return s
}
