package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goepmd/goepmd/conformance"
)

// The two sides of a failure as text, a field a line or more:
//
//	  at field    expected                         got
//	0000 tag       76                      v        76                      v
//	0001 result    00                      .      * 01                      .
//	0002 creation {creation:x+1}                    00 00 00 63             ...c
//
// A star, and red where there are colours, stands before each byte that is not as it
// must be; -- stands for one that is missing.

// lines of a failure at most; what is far from the difference is cut.
const maxLines = 16

// hexTable lays out the two sides in so many columns, each line with an indent.
func hexTable(want conformance.Bytes, got []byte, at, width int, p paint, indent string) []string {
	runs := sides(want, got, at)
	if len(runs) == 0 {
		return nil
	}
	field := len("field")
	for _, r := range runs {
		field = max(field, utf8.RuneCountInString(r.field))
	}
	field = min(field, 10)
	per := perLine(width - len(indent) - len("0000 ") - field)
	// A field of one byte takes a line of its own, so bytes are cut by lines.
	room := maxLines * per
	for ; room > maxLines && lineCount(runs, room, per) > maxLines; room = room * 3 / 4 {
	}
	runs, before, after := window(runs, room)
	side := per*4 + 2
	out := []string{indent + p.dim(fmt.Sprintf("  at %-*s %-*s %s", field, "field", side, "expected", "got"))}
	if before > 0 {
		out = append(out, indent+p.dim(fmt.Sprintf("     … %d bytes before, alike", before)))
	}
	for _, r := range runs {
		out = append(out, runLines(r, per, field, side, p, indent)...)
	}
	if after > 0 {
		out = append(out, indent+p.dim(fmt.Sprintf("     … %d bytes more", after)))
	}
	return out
}

// perLine is how many bytes of each side fit into so many columns.
func perLine(columns int) int {
	for _, n := range []int{16, 8} {
		if 2*(n*4+2) <= columns+1 {
			return n
		}
	}
	return 4
}

// lineCount is how many lines a window of so many bytes takes.
func lineCount(runs []run, room, per int) int {
	n := 0
	kept, _, _ := window(runs, room)
	for _, r := range kept {
		n += (r.size + per - 1) / per
	}
	return n
}

// runLines are the lines of one run. Only the first tells its name.
func runLines(r run, per, field, side int, p paint, indent string) []string {
	var out []string
	for from := 0; from < r.size; from += per {
		part := r.clip(from, min(from+per, r.size))
		name := ""
		if from == 0 {
			name = cutTo(clean(r.field), field)
		}
		left := half(part, part.want, per, p)
		if r.hole != "" {
			left = half(run{}, nil, per, p)
			if from == 0 {
				left = " " + p.dim(fmt.Sprintf("%-*s", side-1, cutTo(clean(r.hole), side-1)))
			}
		}
		right := strings.TrimRight(half(part, part.got, per, p), " ")
		out = append(out, fmt.Sprintf("%s%s %-*s%s%s", indent, p.dim(fmt.Sprintf("%04x", part.at)), field, name, left, right))
	}
	return out
}

// half is one side of a line: bytes with their marks, and what they are in ASCII.
func half(r run, b []byte, per int, p paint) string {
	var hex, ascii strings.Builder
	for i := range per {
		switch {
		case i < len(b):
			mark, paintIt := " ", r.bad(i)
			if paintIt {
				mark = "*"
			}
			hex.WriteString(mark + p.bad(fmt.Sprintf("%02x", b[i]), paintIt))
			ascii.WriteString(p.bad(glyph(b[i]), paintIt))
		case i < r.size:
			hex.WriteString("*" + p.bad("--", true))
			ascii.WriteString(" ")
		default:
			hex.WriteString("   ")
			ascii.WriteString(" ")
		}
	}
	return hex.String() + "  " + ascii.String()
}

// glyph is a byte as a character.
func glyph(c byte) string {
	if c < 0x20 || c > 0x7e {
		return "."
	}
	return string(rune(c))
}

// cutTo shortens a text to so many characters.
func cutTo(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
