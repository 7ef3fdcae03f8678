package bench

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A grid is a table with a title. The first cells of a row are words when words says so,
// the rest figures, which stand to the right.
type grid struct {
	title string
	words int
	head  []string
	rows  [][]string
}

// text writes it for a terminal.
func (g grid) text(w io.Writer) error {
	widths := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", g.title)
	for _, row := range append([][]string{g.head}, g.rows...) {
		line := ""
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < g.words {
				line += "  " + cell + gap
			} else {
				line += "  " + gap + cell
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown writes it for a document.
func (g grid) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", g.title)
	row := func(cells []string) {
		b.WriteString("| " + strings.ReplaceAll(strings.Join(cells, "\x00"), "|", `\|`) + " |\n")
	}
	row(g.head)
	line := make([]string, len(g.head))
	for i := range line {
		line[i] = "--:"
		if i < g.words {
			line[i] = "---"
		}
	}
	row(line)
	for _, r := range g.rows {
		row(r)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, strings.ReplaceAll(b.String(), "\x00", " | "))
	return err
}
