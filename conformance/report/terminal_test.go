package report

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

func shown(t *testing.T, r conformance.Report, o Options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Terminal(&b, r, o))
	return b.String()
}

// TestTerminal compares with testdata/terminal.txt, which GOEPMD_GOLDEN=1 writes anew.
func TestTerminal(t *testing.T) {
	got := shown(t, fixture(t), Options{Width: 100})
	const golden = "testdata/terminal.txt"
	if os.Getenv("GOEPMD_GOLDEN") == "1" {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestTerminalFits(t *testing.T) {
	for _, width := range []int{80, 100, 160} {
		for _, l := range strings.Split(shown(t, fixture(t), Options{Width: width}), "\n") {
			require.LessOrEqual(t, utf8.RuneCountInString(l), width, l)
		}
	}
}

// TestTerminalColours: colours change nothing but the colours, and what a target
// says cannot bring its own.
func TestTerminalColours(t *testing.T) {
	r := fixture(t)
	plain, coloured := shown(t, r, Options{Verbose: true}), shown(t, r, Options{Verbose: true, Color: true})
	require.NotContains(t, plain, "\x1b")
	require.NotContains(t, plain, "\x00")
	require.Contains(t, plain, `\x1b[31m \x00 \xff`)
	stripped := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(coloured, "")
	require.NotEqual(t, stripped, coloured)
	trim := regexp.MustCompile(`(?m) +$`)
	require.Equal(t, plain, trim.ReplaceAllString(stripped, ""))
}

func TestTerminalVerbose(t *testing.T) {
	r := fixture(t)
	r.Columns[1].Results[0].Verdict, r.Columns[1].Results[0].Reason = conformance.Skipped, "no program"
	r.Columns[1].Results[2].Verdict, r.Columns[1].Results[2].Reason = conformance.Skipped, "no program"
	quiet, verbose := shown(t, r, Options{}), shown(t, r, Options{Verbose: true})
	require.Contains(t, quiet, "2  no program\n")
	require.NotContains(t, quiet, "names-empty, alive-again")
	require.Contains(t, verbose, "names-empty, alive-again")
	require.Contains(t, verbose, "  seen 3  a closes")
	require.Contains(t, verbose, "\n  passed    slow-sender  like OTP before 29\n")
	require.NotContains(t, quiet, "\n  passed  ")
}

// TestTitle: a name that tells the version is not followed by it.
func TestTitle(t *testing.T) {
	require.Equal(t, "mine, any OTP", title(conformance.Column{Target: "mine"}))
	require.Equal(t, "mine, held to OTP 27", title(conformance.Column{Target: "mine", OTP: 27}))
	require.Equal(t, "OTP 27", title(conformance.Column{Target: "OTP 27", OTP: 27}))
	require.Equal(t, "OTP 27.3", title(conformance.Column{Target: "OTP 27.3", OTP: 27}))
}

func TestTerminalGood(t *testing.T) {
	r := fixture(t)
	r.Columns = r.Columns[:2]
	require.Contains(t, shown(t, r, Options{}), "\nOK: 5 scenarios × 2 targets in 90.0 s\n  8 passed, 1 deviates, 1 skipped\n")
}

// errFull is what a full disk says.
var errFull = errors.New("no room")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	r := fixture(t)
	require.ErrorIs(t, Terminal(full{}, r, Options{}), errFull)
	require.ErrorIs(t, JSON(full{}, r), errFull)
	require.ErrorIs(t, JUnit(full{}, r), errFull)
	require.ErrorIs(t, HTML(full{}, r), errFull)
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain, é – 漢\n two": "plain, é – 漢\n two",
		"\x00\x1b\x7f\r\t":   `\x00\x1b\x7f\x0d\x09`,
		"\xff\xc3":           `\xff\xc3`,
		"\u202e\u00a0\u2028": `\u{202e}\u{a0}\u{2028}`,
		"�":                  "�",
	} {
		require.Equal(t, want, clean(in))
	}
}

func TestLike(t *testing.T) {
	s := conformance.Scenario{Differs: []conformance.Variant{{Since: 25}, {Since: 27}, {Since: 28}}}
	for since, want := range map[int][2]string{
		0: {"OTP before 25", "pre 25"}, 25: {"OTP 25 to 26", "as 25"}, 27: {"OTP 27", "as 27"}, 28: {"OTP 28 and later", "as 28"},
	} {
		long, short := like(s, conformance.Result{Verdict: conformance.Passed, Like: since})
		require.Equal(t, want, [2]string{long, short})
	}
	long, _ := like(s, conformance.Result{Verdict: conformance.Failed, Like: 25})
	require.Empty(t, long)
	long, _ = like(conformance.Scenario{}, conformance.Result{Verdict: conformance.Passed})
	require.Empty(t, long)
}
