package rights

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/internal/faults/rig"
)

// TestRights: every request from every kind of peer, with and without lists, on every
// subject, ends as the table of docs/security.md says, and what is denied changes
// nothing, is counted and is logged.
func TestRights(t *testing.T) {
	missing(t, noNetwork)
	want := documented(t)
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			for r := range emptyLists + 1 {
				if s.otp && r != noLists {
					continue
				}
				for _, family := range []string{"IPv4", "IPv6"} {
					t.Run(fmt.Sprintf("%s, %s", r, family), func(t *testing.T) {
						if family == "IPv6" {
							missing(t, noIPv6)
						}
						g := game{rules: r, v6: family == "IPv6", otp: s.otp, start: func(relaxed bool) *running {
							return s.start(t, r, relaxed)
						}}
						require.Equal(t, want, g.play(t, want))
					})
				}
			}
		})
	}
}

// cells are what comes of each row for each column of the table.
type cells map[string]map[string]string

// The columns of the table.
const (
	columnLocal  = "local"
	columnOpen   = "others, no list"
	columnListed = "listed"
	columnOthers = "others, with a list"
)

// column is where in the table a peer stands under some rules.
func column(p peer, r rules) string {
	switch {
	case p.kind == local:
		return columnLocal
	case r == noLists:
		return columnOpen
	case r == withLists && p.kind == friend:
		return columnListed
	}
	return columnOthers
}

// game is a subject under some rules, and peers of one family.
type game struct {
	rules rules
	v6    bool
	otp   bool // the subject knows the standard requests alone
	start func(relaxed bool) *running
}

// play plays all rows from all peers, and gives the table with what came of those cells
// that these rules have.
func (g game) play(t *testing.T, want cells) cells {
	t.Helper()
	seen := make(cells)
	for name, line := range want {
		seen[name] = maps.Clone(line)
	}
	for _, relaxed := range []bool{true, false} {
		var d *running
		for _, row := range rows {
			if row.strict && relaxed || row.relaxed && !relaxed || row.multi() && g.otp {
				continue
			}
			for _, p := range peers {
				if p.from.Is6() != g.v6 {
					continue
				}
				if d == nil {
					d = g.start(relaxed)
					d.hold(t, steady)
				}
				cell := d.cell(t, row, p)
				if got := column(p, g.rules); seen[row.name][got] != cell {
					seen[row.name][got] = fmt.Sprintf("%s (%s)", cell, p)
				}
				if row.name == lineKill && cell == answered {
					d.requireDenied(t)
					d.requireEnded(t)
					d = nil
				}
			}
		}
		if d != nil {
			d.requireDenied(t)
			require.False(t, d.hasEnded(), "the daemon has ended")
		}
	}
	return seen
}

// cell makes one request, and sees that one which is denied changes nothing.
func (d *running) cell(t *testing.T, r row, p peer) string {
	t.Helper()
	victim := d.hold(t, "victim")
	defer func() {
		victim.Close()
		d.awaitOnly(t, steady)
	}()
	before := d.state(t)
	cell := r.request(t, p.dial(t, d.port), "victim")
	switch cell {
	case closed:
		d.denied++
		require.Equal(t, before, d.state(t), "%s from %s", r.name, p)
		require.True(t, victim.Open(), "%s from %s", r.name, p)
	case answered:
		if session.RightOf(r.tag) == session.RightStop {
			require.Eventually(t, func() bool { return !victim.Open() }, patience, time.Millisecond)
		}
	}
	return cell
}

// hold registers a node for as long as the connection is open.
func (d *running) hold(t *testing.T, name string) *rig.Conn {
	t.Helper()
	c, err := (&rig.Dialer{Port: d.port}).Register(name, 4711)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// awaitOnly waits until no other node is registered, or the daemon has been killed.
func (d *running) awaitOnly(t *testing.T, name string) {
	t.Helper()
	require.Eventually(t, func() bool {
		list, err := (&rig.Dialer{Port: d.port}).List()
		_, there := list[name]
		return err == nil && there && len(list) == 1 || d.hasEnded()
	}, patience, time.Millisecond)
}

func (d *running) hasEnded() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// requireEnded waits for a daemon to end well.
func (d *running) requireEnded(t *testing.T) {
	t.Helper()
	select {
	case <-d.ended:
		require.Equal(t, "exit status 0", d.status())
	case <-time.After(patience):
		require.Fail(t, "the daemon does not end")
	}
}

// documented is the table of docs/security.md.
func documented(t *testing.T) cells {
	t.Helper()
	text, err := os.ReadFile("../../docs/security.md")
	require.NoError(t, err)
	table := make(cells)
	var head []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			if len(table) > 0 {
				requireWhole(t, head, table)
				return table
			}
			head = nil
		case head == nil:
			head = fields
		case head[0] == "request" && !strings.HasPrefix(fields[0], "---"):
			table[fields[0]] = make(map[string]string)
			for i, cell := range fields[2:] {
				table[fields[0]][head[i+2]] = cell
			}
		}
	}
	require.Fail(t, "docs/security.md has no table of rights")
	return nil
}

// requireWhole sees that the table has all rows and columns that the test plays, and no
// other.
func requireWhole(t *testing.T, head []string, table cells) {
	t.Helper()
	require.Equal(t, []string{"request", "list", columnLocal, columnOpen, columnListed, columnOthers}, head)
	lines := make(map[string]bool)
	for _, r := range rows {
		lines[r.name] = true
		require.Len(t, table[r.name], 4, r.name)
	}
	require.Len(t, table, len(lines))
}
