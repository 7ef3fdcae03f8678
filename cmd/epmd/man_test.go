package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const manPage = "../../docs/man/epmd.8"

// flags are the words with a dash in front that a pattern finds at the beginning of
// lines, in order, each once.
func flags(text, line string) []string {
	var all []string
	for _, found := range regexp.MustCompile("(?m)"+line).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.FieldsFunc(found[1], func(r rune) bool { return r == ' ' || r == ',' || r == '-' })...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestManPage: the manual has each flag and command of the usage, with its operand, and
// no other; and each variable of the environment.
func TestManPage(t *testing.T) {
	b, err := os.ReadFile(manPage)
	require.NoError(t, err)
	page := string(b)
	_, options, found := strings.Cut(usage, "Options\n")
	require.True(t, found)

	inUsage := flags(options, `^  (-[a-z_]+(?:, -[a-z_]+)*)`)
	inPage := flags(page, `^\.It Fl ([a-z_]+(?: , [a-z_]+)*)`)
	require.Contains(t, inUsage, "relaxed_command_check")
	require.Equal(t, inUsage, inPage, "docs/man/epmd.8 and usage.go")

	operands := regexp.MustCompile(`(?m)^  -([a-z_]+) ([A-Z]+)\b`).FindAllStringSubmatch(options, -1)
	require.NotEmpty(t, operands)
	for _, o := range operands {
		require.Contains(t, page, "\n.It Fl "+o[1]+" Ar "+o[2]+"\n")
	}

	variables := regexp.MustCompile(`\b(ERL_[A-Z_]+)\b`)
	for _, v := range variables.FindAllString(usage, -1) {
		require.Contains(t, page, "\n.It Ev "+v+"\n")
	}
	for _, v := range []string{envPort, envAddress, envRelaxed} {
		require.Contains(t, page, "\n.It Ev "+v+"\n")
	}
}

// TestManPageIsWellFormed: mandoc has nothing to say against it.
func TestManPageIsWellFormed(t *testing.T) {
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip("SKIPPED: mandoc is missing, so the form of the manual is not checked; to get it: apt-get install mandoc")
	}
	cmd := exec.Command("mandoc", "-Tlint", "-W", "warning", manPage)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(bytes.TrimSpace(out)))
}
