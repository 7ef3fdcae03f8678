package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// newLogger logs errors and warnings, and with -d everything: to standard error,
// or, when detached, to the system's log if there is one, else nowhere.
func newLogger(o options, stderr io.Writer) *slog.Logger {
	level := slog.LevelWarn
	if o.debug > 0 {
		level = slog.LevelDebug
	}
	if o.daemon {
		if w, err := systemLog(); err == nil {
			return slog.New(&lineHandler{w: w, level: level, mu: new(sync.Mutex)})
		}
		stderr = io.Discard // which its starter still reads
	}
	return slog.New(&lineHandler{w: stderr, level: level, stamp: true, journal: isJournal(stderr), mu: new(sync.Mutex)})
}

// lineHandler writes a line for each record, as OTP's epmd does:
//
//	epmd: Mon Nov 23 23:36:41 2026: text key=value
type lineHandler struct {
	w     io.Writer
	level slog.Level
	stamp bool // program and time in front
	// journal puts the priority in front, as systemd's journal takes it.
	journal bool
	prefix  string
	attrs   string
	mu      *sync.Mutex
}

func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if h.journal {
		fmt.Fprintf(&b, "<%d>", priority(r.Level))
	}
	if h.stamp {
		fmt.Fprintf(&b, "epmd: %s: ", r.Time.Format(time.ANSIC))
	}
	b.WriteString(strings.TrimPrefix(r.Message, "epmd: "))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.prefix, a)
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

// priority is a level as a priority of syslog(3).
func priority(l slog.Level) int {
	const err, warning, info, debug = 3, 4, 6, 7
	switch {
	case l >= slog.LevelError:
		return err
	case l >= slog.LevelWarn:
		return warning
	case l >= slog.LevelInfo:
		return info
	}
	return debug
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, h.prefix, a)
	}
	out := *h
	out.attrs += b.String()
	return &out
}

func (h *lineHandler) WithGroup(name string) slog.Handler {
	out := *h
	out.prefix += name + "."
	return &out
}

// writeAttr writes " key=value"; a value that is nothing is left out, and one that
// would break the line is quoted.
func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindAny && v.Any() == nil || v.Kind() == slog.KindString && v.String() == "" {
		return
	}
	text := v.String()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, needsQuotes) {
		text = strconv.Quote(text)
	}
	fmt.Fprintf(b, " %s%s=%s", prefix, a.Key, text)
}

// needsQuotes is true for what cannot stand in a line of words: clients choose the
// names that are logged.
func needsQuotes(r rune) bool { return strings.ContainsRune(` "=\`, r) || !strconv.IsPrint(r) }
