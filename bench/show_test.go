package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// row finds the line that begins with these words, and gives its cells.
func row(t *testing.T, text, begin string) []string {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.Join(strings.Fields(line), " "), begin) {
			return regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1)
		}
	}
	require.Fail(t, "no line begins with "+begin, text)
	return nil
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, fixture().Text(&b))
	text := b.String()
	require.Equal(t, []string{
		"lookup", "10", "10", "20", "1.50", "1.35–1.75", "1.20–2.00", "0", "2", "30", "40", "25 %",
	}, row(t, text, "lookup 10 10"))
	_, speed, _ := strings.Cut(text, "Throughput")
	require.Equal(t, []string{
		"lookup", "10", "1000", "1000", "1.00", "40", "40", "100", "150", "1.50", "0.90–2.00", "200", "300",
	}, row(t, speed, "lookup 10"))
	require.Equal(t, "stops at 64 nodes", row(t, text, "names 1000")[3])
	require.Equal(t, []string{
		"A", "1000", "1000", "384", "256–512", "16.1", "20", "9000", "8000", "5", "0", "30", "2",
	}, row(t, text, "A 1000"))
	for _, want := range []string{
		"B is <theirs>: /usr/bin/epmd -d", "3 pairs of 1s each, 16 clients, in a network of its own; no connection was tracked",
		"lookup, 10 nodes, B: failed: wrong answer (1 of 3 pairs)",
		"names, 1000 nodes, B: stops at 64 nodes: connection reset by peer (1 of 1 pairs)",
		"names, 1000 nodes, B: the daemon ended by itself: exit status 1 (1 of 1 pairs)",
		"idle, 1000 nodes, B: 3 nodes were lost while they were connected (1 of 2 pairs)",
		"idle, 1000 nodes, B: nodes were still listed 1m0s after their end (1 of 2 pairs)",
	} {
		require.Contains(t, text, want)
	}

	tracked := fixture()
	tracked.Machine.Tracked, tracked.Machine.OwnNetwork = 7, false
	b.Reset()
	require.NoError(t, tracked.Text(&b))
	require.Contains(t, b.String(), "in the network of the machine; THE KERNEL TRACKED CONNECTIONS (7)")
}

// TestMarkdown: each table has as many cells in each row.
func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, fixture().Markdown(&b))
	tables, cells := 0, 0
	for line := range strings.Lines(b.String()) {
		switch n := strings.Count(line, "|"); {
		case n == 0:
			cells = 0
		case cells == 0:
			tables, cells = tables+1, n
		default:
			require.Equal(t, cells, n, line)
		}
	}
	require.Equal(t, 3, tables)
	require.Contains(t, b.String(), "| lookup | 10 | 10 | 20 | 1.50 |")
	require.Contains(t, b.String(), "- lookup, 10 nodes, B: failed: wrong answer")
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, fixture().JSON(&b))
	var back Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	require.Equal(t, fixture(), back, "all that was measured is there")
	var sums struct {
		Cells []struct{ Summary Summary }
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &sums))
	require.Equal(t, Spread{3, 1.2, 1.35, 1.5, 1.75, 2}, sums.Cells[0].Summary.CPU.Gain)
	require.Equal(t, 2, sums.Cells[0].Summary.FailedB)
	require.Zero(t, sums.Cells[1].Summary.CPU.Gain)
}

func TestSVG(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, fixture().SVG(&b))
	text := b.String()
	dots := 0
	for dec := xml.NewDecoder(&b); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			dots++
		}
	}
	require.Equal(t, 2, dots, "a dot for each gain")
	require.Contains(t, text, "lookup, 10 nodes")
	require.Contains(t, text, "1.50  (1.20–2.00)")
	require.Contains(t, text, "B stops at 64 nodes")
	require.Contains(t, text, "prefers-color-scheme: dark")
	require.NotContains(t, text, "<theirs>")

	b.Reset()
	require.NoError(t, Report{}.SVG(&b), "an empty one can be drawn, too")
}

func TestTicks(t *testing.T) {
	require.Equal(t, []float64{1}, ticks(0.8, 1.25))
	require.Equal(t, []float64{0.5, 1, 2, 5, 10, 20, 50, 100}, ticks(0.4, 120))
	require.Equal(t, []float64{0.1, 1, 10, 100}, ticks(0.05, 120))
}

func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.256: "0.26", 1.5: "1.50", 12.34: "12.3", 123.4: "123", -5.25: "-5.25", 2650: "2650"} {
		require.Equal(t, want, digits(v))
	}
}
