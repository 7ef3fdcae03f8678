package report

import (
	"fmt"

	"github.com/goepmd/goepmd/conformance"
)

// paint colours texts for a terminal, or leaves them as they are.
type paint bool

func (p paint) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string { return p.with("1", s) }
func (p paint) dim(s string) string  { return p.with("2", s) }

// bad marks what is not as it must be.
func (p paint) bad(s string, really bool) string {
	if !really {
		return s
	}
	return p.with("1;31", s)
}

// verdict paints a text as its verdict has it.
func (p paint) verdict(v conformance.Verdict, s string) string {
	code, ok := map[conformance.Verdict]string{
		conformance.Passed:   "32",
		conformance.Deviates: "36",
		conformance.Skipped:  "33",
		conformance.Failed:   "1;31",
		conformance.Broken:   "1;35",
	}[v]
	if !ok {
		return s
	}
	return p.with(code, s)
}

// count is a number, right-aligned, in the colour of its verdict; a point is none.
func (p paint) count(v conformance.Verdict, n, width int) string {
	if n == 0 {
		return p.dim(fmt.Sprintf("%*s", width, "."))
	}
	return p.verdict(v, fmt.Sprintf("%*d", width, n))
}
