package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goepmd/goepmd/conformance"
)

// clean is a text that cannot do anything to a terminal or to a reader's eye: what a
// target said may stand in it. Lines stay lines.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Z, r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		i += n
	}
	return b.String()
}

// like says in words and in short which versions of OTP a result is like; it is
// empty where they do not differ, or where the result does not tell.
func like(s conformance.Scenario, r conformance.Result) (long, short string) {
	if len(s.Differs) == 0 || r.Verdict != conformance.Passed {
		return "", ""
	}
	for i, v := range s.Differs {
		switch {
		case v.Since != r.Like:
			continue
		case i == len(s.Differs)-1:
			return fmt.Sprintf("OTP %d and later", v.Since), fmt.Sprintf("as %d", v.Since)
		case s.Differs[i+1].Since == v.Since+1:
			return fmt.Sprintf("OTP %d", v.Since), fmt.Sprintf("as %d", v.Since)
		}
		return fmt.Sprintf("OTP %d to %d", v.Since, s.Differs[i+1].Since-1), fmt.Sprintf("as %d", v.Since)
	}
	first := s.Differs[0].Since
	return fmt.Sprintf("OTP before %d", first), fmt.Sprintf("pre %d", first)
}
