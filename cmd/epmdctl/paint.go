package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// isTerminal says whether people read it as it comes, on something that can be written
// over.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// paint is what a terminal shows besides text.
type paint struct{ terminal, colour bool }

func (s streams) paint() paint {
	return paint{terminal: s.terminal, colour: s.terminal && os.Getenv("NO_COLOR") == ""}
}

func (p paint) in(code, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p paint) good(s string) string { return p.in("32", s) }
func (p paint) bad(s string) string  { return p.in("31", s) }
func (p paint) bold(s string) string { return p.in("1", s) }
func (p paint) dim(s string) string  { return p.in("2", s) }

// printable says that a name can be shown as it is. EPMD lets one hold anything but NUL.
func printable(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r == '"' || r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
}

// show is a name as it can be shown.
func show(name string) string {
	if printable(name) {
		return name
	}
	return strconv.Quote(name)
}

// table writes rows in columns, under a title if there is one.
func table(w io.Writer, title []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	all := rows
	if title != nil {
		all = append([][]string{title}, rows...)
	}
	for _, r := range all {
		for len(r) > 1 && r[len(r)-1] == "" {
			r = r[:len(r)-1] // no blanks at the end of a line
		}
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

// writeJSON writes a value for machines, and for people to read.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeLine writes a value for machines that read a line for each.
func (s streams) writeLine(v any) error {
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// wrap breaks a text into lines of so many columns, each with an indent.
func wrap(text, indent string, columns int) string {
	var out, line strings.Builder
	for _, word := range strings.Fields(text) {
		if line.Len() > 0 && len(indent)+line.Len()+1+len(word) > columns {
			out.WriteString(indent + line.String() + "\n")
			line.Reset()
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(word)
	}
	return out.String() + indent + line.String() + "\n"
}

// span writes a time that passed, to three digits or so.
func span(d time.Duration) string {
	digits := func(unit time.Duration) string {
		n := float64(d) / float64(unit)
		return strconv.FormatFloat(n, 'f', max(0, 2-int(math.Log10(n))), 64)
	}
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return digits(time.Millisecond) + " ms"
	case d < time.Minute:
		return digits(time.Second) + " s"
	}
	return d.Round(time.Second).String()
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
