package lab

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
)

// document is where the table is published.
const document = "../../docs/doctor.md"

var renew = flag.Bool("renew", false, "write docs/doctor.md anew, once all is as it should be")

// printTable prints what came of set-ups.
func printTable(t *testing.T, rows []*row) {
	t.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tset-up\tcause\tfound\tseconds")
	right, slowest := 0, rows[0]
	for _, r := range rows {
		verdict := "WRONG"
		if r.correct {
			verdict = "ok"
			right++
		}
		if r.took > slowest.took {
			slowest = r
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f\n", verdict, r.name, r.cause, r.codes(), r.took.Seconds())
	}
	_ = w.Flush() // into memory
	t.Logf("\n%s%d of %d set-ups: the true cause first, or nothing where all is well; the slowest report took %.1f s (%s)",
		&b, right, len(rows), slowest.took.Seconds(), slowest.name)
}

const introduction = `# The doctor, examined

Each line is some machines in networks of their own, with real nodes (OTP 23, 25, 27 and 29,
Elixir, RabbitMQ 3.10 and 4, ejabberd) and real EPMDs. ` + "`epmdctl doctor`" + ` was asked on one of
them, and had to name the true cause first, or, where all is well, to say nothing. A real node's
ping proves each set-up: it fails in the broken ones and comes through in the healthy ones.

Seconds are those of the whole command, on a machine that did other things, too. The table
is written by

` + "```sh" + `
GOEPMD_PROOF=1 go test ./doctor/lab -run TestLab -parallel 4 -renew
` + "```" + `

where ` + "`go run ./docker/otp-images`" + ` has made the images; it takes root, and some minutes. The
stage ` + "`doctor`" + ` of ` + "`make proof`" + ` plays all of it.
`

// markdown is the table as it is published.
func markdown(rows []*row) string {
	var b strings.Builder
	b.WriteString(introduction)
	ill := func(r *row) bool { return r.cause != "" }
	well := func(r *row) bool { return r.cause == "" }
	broken, healthy := slices.DeleteFunc(slices.Clone(rows), well), slices.DeleteFunc(slices.Clone(rows), ill)
	fmt.Fprintf(&b, "\n## Broken: %d\n\n| set-up | what is wrong | asked | named first | seconds |\n|---|---|---|---|---|\n", len(broken))
	for _, r := range broken {
		fmt.Fprintf(&b, "| %s | %s | %s | `%s` | %.1f |\n", r.name, r.story, r.question(), r.cause, r.took.Seconds())
	}
	fmt.Fprintf(&b, "\n## Healthy: %d\n\n| set-up | what there is | asked | seconds |\n|---|---|---|---|\n", len(healthy))
	for _, r := range healthy {
		fmt.Fprintf(&b, "| %s | %s | %s | %.1f |\n", r.name, r.story, r.question(), r.took.Seconds())
	}
	return b.String()
}

// question is what the doctor was asked, or that no name was told.
func (r *row) question() string {
	if r.asked == "" {
		return "no name"
	}
	return "`" + r.asked + "`"
}

// TestSetups: there are enough set-ups, and each code is the true cause of one.
func TestSetups(t *testing.T) {
	const leastBroken, leastHealthy = 40, 20
	seen, causes := make(map[string]bool), make(map[doctor.Code]int)
	for _, s := range setups() {
		require.False(t, seen[s.name], "two are called %s", s.name)
		require.NotEmpty(t, s.story, s.name)
		require.True(t, s.cause == "" || slices.Contains(doctor.Codes(), s.cause), "%s: there is no code %s", s.name, s.cause)
		seen[s.name] = true
		causes[s.cause]++
	}
	require.GreaterOrEqual(t, len(seen)-causes[""], leastBroken)
	require.GreaterOrEqual(t, causes[""], leastHealthy)
	for _, c := range doctor.Codes() {
		require.NotZero(t, causes[c], "no set-up is broken by %s", c)
	}
}

// TestTable: the table that is published has a line for each set-up, with its cause.
func TestTable(t *testing.T) {
	const anew = "write it anew: go test ./doctor/lab -renew, as docs/doctor.md says"
	b, err := os.ReadFile(document)
	require.NoError(t, err)
	text := string(b)
	require.True(t, strings.HasPrefix(text, introduction), anew)
	for _, s := range setups() {
		// The question and the time are known only when the set-up is played.
		want := regexp.QuoteMeta("| "+s.name+" | "+s.story+" | ") + "(no name|`[^`]+`) "
		if s.cause != "" {
			want += regexp.QuoteMeta("| `" + string(s.cause) + "` ")
		}
		require.Regexp(t, "(?m)^"+want+`\| [0-9.]+ \|$`, text, "%s: %s", s.name, anew)
	}
	const titles = 4 // of two tables, with the lines below
	require.Equal(t, len(setups())+titles, strings.Count(text, "\n|"), anew)
}
