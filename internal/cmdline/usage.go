package cmdline

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v3"
)

// usageError says in our words what the library says of a command line that it cannot read.
// Its errors have no type of their own, and so are told by their beginnings.
func usageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	if len(c.VisibleCommands()) > 0 {
		if wrong := None(c); wrong != nil {
			return wrong // the flag that is not known is one of the command that was meant
		}
	}
	text := err.Error()
	if name, found := strings.CutPrefix(text, "flag provided but not defined: -"); found {
		text = "there is no flag -" + name + meant(name, "-", flagNames(c))
	} else if name, found := strings.CutPrefix(text, "flag needs an argument: "); found {
		text = name + " wants a value"
	} else if start, found := strings.CutSuffix(text, ": parse error"); found {
		text = start + ": it is true or false"
	} else if parts := strings.Split(text, `"`); strings.HasPrefix(text, "Required flag") && len(parts) == 3 {
		text = "give -" + strings.ReplaceAll(parts[1], ", ", " and -")
	}
	return errors.New(text + "; see " + c.FullName() + " -help")
}

// flagNames are the names of the flags that a command takes.
func flagNames(c *cli.Command) []string {
	var all []string
	for _, f := range flagsOf(c) {
		all = append(all, f.Names()...)
	}
	return all
}

// flagsOf are the flags that a command takes, its own first.
func flagsOf(c *cli.Command) []cli.Flag {
	return append(c.VisibleFlags(), c.VisiblePersistentFlags()...)
}

// meant asks whether another name was meant, if one is near. The library's own suggestion
// has no bound: it would offer any name for any word.
func meant(word, dash string, names []string) string {
	const most = 2 // as git and kubectl have it
	best, found := most+1, ""
	for _, name := range names {
		d := distance(word, name)
		if len(word) > 1 && strings.HasPrefix(name, word) {
			d = 1
		}
		if d < best && d < len(word) && d < len(name) {
			best, found = d, name
		}
	}
	if found == "" {
		return ""
	}
	return " (did you mean " + dash + found + "?)"
}

// distance is how many letters of one word must be added, taken away, changed, or swapped
// with the next, to make it another.
func distance(a, b string) int {
	before, last, row := []int(nil), []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			changed := last[j]
			if a[i] != b[j] {
				changed++
			}
			row[j+1] = min(changed, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
