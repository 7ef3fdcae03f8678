package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogLine(t *testing.T) {
	var b bytes.Buffer
	log := newLogger(options{debug: 1}, &b)
	log.With("a", 1).WithGroup("g").With("b", "x").Info("epmd: hello", "c", "two words", "nothing", nil, "empty", "", "err", errors.New("why=not"))
	require.Regexp(t, `^epmd: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: hello a=1 g\.b=x g\.c="two words" g\.err="why=not"\n$`, b.String())
}

// TestLogHostile: whatever a client calls its node, a record stays one line of
// printable text.
func TestLogHostile(t *testing.T) {
	for _, name := range []string{"a\nepmd: b", "a\rb", "\x1b[2J", "a\x00", "\u0085", "\u2028", "\xff", "\x7f", "\u202e", "\t"} {
		var b bytes.Buffer
		newLogger(options{debug: 1}, &b).Debug("ALIVE2_REQ", "name", name)
		line, rest, _ := strings.Cut(b.String(), "\n")
		require.Empty(t, rest, "%q", name)
		for _, r := range line {
			require.True(t, r >= ' ' && r < 0x7f, "%q in %q", r, line)
		}
	}
}

func TestLogLevel(t *testing.T) {
	var b bytes.Buffer
	newLogger(options{}, &b).Info("quiet")
	require.Empty(t, b.String())
	newLogger(options{}, &b).Log(t.Context(), slog.LevelWarn, "loud")
	require.Contains(t, b.String(), "loud")
}
