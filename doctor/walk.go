package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// walk is one examination.
type walk struct {
	d   *Doctor
	ctx context.Context
	rep Report

	name, host string // of the target; both empty for this machine
	asked      map[netip.AddrPort]answer

	// What is known of this machine.
	hostname string
	nameErr  error
	own      []netip.Addr
	procs    []Process

	// lost says that the name of another host leads to this machine.
	lost netip.Addr
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
	if w.d.Progress != nil {
		w.d.Progress(s)
	}
}

// find notes what is wrong, once, unless the examination was ended.
func (w *walk) find(c Code, where, seen, do string) {
	if w.ctx.Err() != nil || slices.ContainsFunc(w.rep.Findings, func(f Finding) bool { return f.Code == c && f.Where == where }) {
		return
	}
	w.rep.Findings = append(w.rep.Findings, Finding{Code: c, Where: where, Seen: oneLine(seen), Do: do})
}

// oneLine is a text without the line breaks between errors that were joined.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }

// conclude adds what explains other findings.
func (w *walk) conclude() {
	if w.lost.IsValid() && len(w.rep.Findings) > 0 {
		w.find(ResolvesToLoopback, w.host,
			fmt.Sprintf("The name %s leads to %s, which is this machine itself, and not %s.", w.host, w.lost, w.host),
			fmt.Sprintf("Give %s its own address: in /etc/hosts of this machine, most likely, where a line names it beside %s.", w.host, w.lost))
	}
}

// isOwn says whether an address is of this machine.
func (w *walk) isOwn(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(w.own, a.WithZone(""))
}

// resolve finds the addresses of a host, those of this side's family first.
func (w *walk) resolve(host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	ctx, cancel := w.d.within(w.ctx)
	defer cancel()
	found, err := w.d.resolver().LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var mine, other []netip.Addr
	for _, a := range found {
		a = a.Unmap()
		switch {
		case slices.Contains(mine, a) || slices.Contains(other, a):
		case w.d.mine(a):
			mine = append(mine, a)
		default:
			other = append(other, a)
		}
	}
	return append(mine, other...), nil
}

// byFamily parts addresses into those that this side uses, and others.
func (w *walk) byFamily(addrs []netip.Addr) (mine, other []netip.Addr) {
	for _, a := range addrs {
		if w.d.mine(a) {
			mine = append(mine, a)
		} else {
			other = append(other, a)
		}
	}
	return mine, other
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
