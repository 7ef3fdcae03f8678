package cmdline

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v3"
)

var errDone = errors.New("done")

// call runs a program with one of each flag, and gives the command that it came to.
func call(t *testing.T, words ...string) (c *cli.Command, out string, err error) {
	t.Helper()
	var b bytes.Buffer
	act := func(_ context.Context, at *cli.Command) error {
		c = at
		return errors.Join(None(at), errDone)
	}
	app := &cli.Command{
		Name: "tool", Writer: &b, ErrWriter: &b, EnableShellCompletion: true,
		Flags: []cli.Flag{
			&Duration{Name: "wait", Value: time.Second, Config: Times{AboveZero: true}},
			&Uint16{Name: "port", Config: Range{Least: 1}},
			&cli.StringFlag{Name: "from", TakesFile: true},
		},
		Commands: []*cli.Command{{
			Name: "go", Flags: []cli.Flag{
				&Choice{Name: "way", Aliases: []string{"w"}, Usage: "the `WAY`", Config: Words{"left", "right"}},
				&Int{Name: "many", Config: Range{Most: 9}},
				&Int64{Name: "more"}, &Uint64{Name: "most"}, &Uint8{Name: "few"},
				&Duration{Name: "rest"},
				&cli.StringFlag{Name: "needed", Required: true},
			},
			Action: act,
		}},
		Action: act,
	}
	err = Run(t.Context(), app, append([]string{"tool"}, words...))
	return c, b.String(), err
}

func TestValues(t *testing.T) {
	c, _, err := call(t, "-port", "7", "go", "-way", "left", "-many", "9", "-more", "1", "-most", "18446744073709551615", "-few", "255", "-rest", "1.5", "-needed", "x")
	require.ErrorIs(t, err, errDone)
	require.Equal(t, []any{time.Second, uint16(7), "left", 9, int64(1), ^uint64(0), uint8(255), 1500 * time.Millisecond},
		[]any{c.Duration("wait"), c.Uint16("port"), c.String("way"), c.Int("many"), c.Int64("more"), c.Uint64("most"), c.Uint8("few"), c.Duration("rest")})
}

func TestWords(t *testing.T) {
	for want, words := range map[string][]string{
		`there is no command "og" (did you mean go?); tool -help lists them`:                     {"og"},
		`there is no command "wlak"; tool -help lists them`:                                      {"help", "wlak"},
		`there is no command "walk"; tool -help lists them`:                                      {"walk", "-unknown"},
		`tool go takes no argument, and was given "home"; see tool go -help`:                     {"go", "-needed", "x", "home"},
		`there is no flag -waay (did you mean -way?); see tool go -help`:                         {"go", "--waay", "left"},
		`there is no flag -prot (did you mean -port?); see tool go -help`:                        {"go", "-prot", "1"},
		`there is no flag -zzz; see tool -help`:                                                  {"-zzz"},
		`-port wants a value; see tool -help`:                                                    {"-port"},
		`give -needed; see tool go -help`:                                                        {"go"},
		`invalid value "up" for flag -w: it is one of left, right; see tool go -help`:            {"go", "-w", "up"},
		`invalid value "10" for flag -many: it is a whole number from 0 to 9; see tool go -help`: {"go", "-many", "10"},
		`invalid value "x" for flag -more: it is a whole number from 0 on; see tool go -help`:    {"go", "-more", "x"},
		`invalid value "0" for flag -port: it is a whole number from 1 to 65535; see tool -help`: {"-port", "0"},
		`invalid value "0" for flag -wait: it must be above zero; see tool -help`:                {"-wait", "0"},
	} {
		_, _, err := call(t, words...)
		require.ErrorContains(t, err, want)
	}
}

func TestHelp(t *testing.T) {
	for _, words := range [][]string{{"help", "go"}, {"h", "go"}, {"go", "-help"}, {"go", "-needed", "x", "home", "-h"}} {
		_, out, err := call(t, words...)
		require.NoError(t, err, words)
		require.Contains(t, out, "tool go [options]")
	}
	_, out, err := call(t, "help")
	require.NoError(t, err)
	require.Contains(t, out, "(default: 1s)")
	_, out, err = call(t, "--version")
	require.NoError(t, err)
	require.Regexp(t, `^tool version \S`, out)
}

func TestComplete(t *testing.T) {
	for want, words := range map[string][]string{
		"left\nright\n":               {"go", "-way", ""},
		"<files>\n":                   {"-from", ""},
		"bash\nzsh\nfish\n":           {"completion", ""},
		"":                            {"go", "-many", "", "x", ""},
		"-way\tthe WAY\n-many\t\n-mo": {"go", "-"},
		"--way\tthe WAY\n":            {"go", "--w"},
		"go\t\nhelp\tshow":            {""},
		"go\t\nhelp\tshow the":        {"go"}, // the word is not at its end
	} {
		_, out, err := call(t, append(words, completeFlag)...)
		require.NoError(t, err)
		require.Contains(t, out, want)
		if want == "" {
			require.Empty(t, out)
		}
	}
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"a", ""}: 1, {"nodes", "nodes"}: 0, {"ndoes", "nodes"}: 1, {"node", "nodes"}: 1, {"nodess", "nodes"}: 1, {"kitten", "sitting"}: 3,
	} {
		require.Equal(t, want, distance(pair[0], pair[1]), pair)
		require.Equal(t, want, distance(pair[1], pair[0]), pair)
	}
}
