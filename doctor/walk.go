package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// walk is one examination, or the part of one that looks at one node.
type walk struct {
	d    *Doctor
	ctx  context.Context
	ends time.Time // when all must be over; zero is never
	rep  Report

	name, host string // of the target; both empty for this machine
	asked      *memo[netip.AddrPort, answer]
	found      *memo[string, addresses]

	// What is known of this machine.
	hostname  string
	nameErr   error
	own       []netip.Addr
	look      func() residents // takes its time once
	elsewhere []answer         // of EPMDs of this machine at other ports

	// lost says that the name of another host leads to this machine.
	lost netip.Addr
	// quiet walks beside others: who looks on is told of its steps later.
	quiet bool
}

// within bounds one question. It leaves a third of the time to find out why there is no
// answer. Questions that begin at once end at once.
func (w *walk) within() (context.Context, context.CancelFunc) { return w.share(2, 3) }

// soon bounds a question to a program on this machine that may be none to ask.
func (w *walk) soon() (context.Context, context.CancelFunc) { return w.share(1, 5) }

func (w *walk) share(part, of time.Duration) (context.Context, context.CancelFunc) {
	if w.ends.IsZero() {
		return context.WithCancel(w.ctx)
	}
	return context.WithTimeout(w.ctx, time.Until(w.ends)*part/of)
}

// step walks a step; f tells how it ended and what was seen.
func (w *walk) step(id, what string, f func() (Status, string)) Status {
	if w.ctx.Err() != nil {
		return Broken // what is seen after the end means nothing
	}
	s := Step{ID: id, What: what}
	w.progress(s)
	began := time.Now()
	s.Status, s.Seen = f()
	s.Seen = oneLine(s.Seen)
	s.Took = time.Since(began)
	if w.ctx.Err() != nil {
		return Broken
	}
	w.rep.Steps = append(w.rep.Steps, s)
	w.progress(s)
	return s.Status
}

func (w *walk) progress(s Step) {
	if w.d.Progress != nil && !w.quiet {
		w.d.Progress(s)
	}
}

// beside walks several ways at once, and adds what was seen on each, in their order.
func (w *walk) beside(ways []func(*walk)) {
	parts := make([]*walk, len(ways))
	var group sync.WaitGroup
	for i, way := range ways {
		part := *w
		part.rep = Report{Target: w.rep.Target, Port: w.rep.Port}
		part.quiet = true
		parts[i] = &part
		group.Go(func() { way(&part) })
	}
	group.Wait()
	if w.ctx.Err() != nil {
		return
	}
	for _, part := range parts {
		for _, s := range part.rep.Steps {
			w.progress(Step{ID: s.ID, What: s.What})
			w.rep.Steps = append(w.rep.Steps, s)
			w.progress(s)
		}
		for _, f := range part.rep.Findings {
			w.find(f.Code, f.Where, f.Seen, f.Do)
		}
		for _, u := range part.rep.Unseen {
			w.unseen(u)
		}
	}
}

// find notes what is wrong, once, unless the examination was ended.
func (w *walk) find(c Code, where, seen, do string) {
	if w.ctx.Err() != nil || slices.ContainsFunc(w.rep.Findings, func(f Finding) bool { return f.Code == c && f.Where == where }) {
		return
	}
	w.rep.Findings = append(w.rep.Findings, Finding{Code: c, Where: where, Seen: oneLine(seen), Do: do})
}

// unseen notes what was not looked at.
func (w *walk) unseen(what string) {
	if !slices.Contains(w.rep.Unseen, what) {
		w.rep.Unseen = append(w.rep.Unseen, what)
	}
}

// oneLine is a text without the line breaks between errors that were joined.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }

// conclude puts what explains all other findings before them, and says what nobody
// compared.
func (w *walk) conclude() {
	if w.lost.IsValid() && len(w.rep.Findings) > 0 {
		others := w.rep.Findings
		w.rep.Findings = nil
		w.find(ResolvesToLoopback, w.host,
			fmt.Sprintf("The name %s leads to %s, which is this machine itself, and not another one.", w.host, w.lost),
			fmt.Sprintf("Give %s its own address: in /etc/hosts of this machine, most likely, where a line names it beside %s, or in the DNS. If it is another name of this machine, see what follows.", w.host, w.lost))
		w.rep.Findings = append(w.rep.Findings, others...)
	}
	if w.d.Cookie == "" {
		w.unseen("Cookies were not compared: nobody gave one to compare with (-cookie-file).")
	}
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// list writes things with commas, and a few of them only.
func list[T any](all []T) string {
	const most = 10
	var b strings.Builder
	for i, v := range all {
		switch {
		case i == most:
			fmt.Fprintf(&b, " and %d more", len(all)-most)
			return b.String()
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}

// memo keeps what was found out, so that nobody is asked twice. Several goroutines may use
// it at once.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]func() V
}

func newMemo[K comparable, V any]() *memo[K, V] {
	return &memo[K, V]{known: make(map[K]func() V)}
}

// get gives what is known, or finds it out. Others who want the same wait for that.
func (m *memo[K, V]) get(key K, find func() V) V {
	m.mu.Lock()
	once, ok := m.known[key]
	if !ok {
		once = sync.OnceValue(find)
		m.known[key] = once
	}
	m.mu.Unlock()
	return once()
}
