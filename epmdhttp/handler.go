package epmdhttp

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/metrics"
)

// DefaultMaxStreams is how many pages may be open at a time.
const DefaultMaxStreams = 32

// maxScrapes is how many may read the metrics at a time.
const maxScrapes = 8

// Options say what a [Handler] shows. The zero value is fine.
type Options struct {
	// Version is shown as the program's; empty is the version of the goepmd module.
	Version string
	// Labels are put on the server's metrics.
	Labels prometheus.Labels
	// Gatherer is what /metrics shows. Nil is the metrics of the server, with Labels,
	// and those of Go and of the process. A program that has metrics of its own sets it
	// to its registry, with metrics.NewCollector registered there.
	Gatherer prometheus.Gatherer
	// Hosts are the names, besides localhost and loopback addresses, that requests over
	// loopback may come for: that of a proxy in front, for instance. "*" is all, which
	// lets any page that somebody on this machine looks at read along. Requests of which
	// the http.Server does not tell the local address (by http.LocalAddrContextKey), and
	// those over Unix sockets, count as those over loopback.
	Hosts []string
	// MaxStreams bounds the pages that are open at a time; one more is told to come
	// again. Zero is DefaultMaxStreams; negative is no limit.
	MaxStreams int
}

// Handler serves everything. Make it with [New]; it is safe for concurrent use.
type Handler struct {
	server  *epmd.Server
	options Options
	mux     *http.ServeMux

	streams   chan struct{} // a place for each; nil is no limit
	documents chan struct{} // likewise
	writeTime time.Duration
	nodesTime time.Duration
	closed    chan struct{}
	close     func()
}

// New makes a handler for a server, which need not serve yet. No goroutine is started:
// each stream lives in its request, and ends at the latest a second after the server.
func New(s *epmd.Server, o Options) *Handler {
	h := &Handler{
		server: s, options: o, mux: http.NewServeMux(),
		documents: make(chan struct{}, maxDocuments), nodesTime: nodesTime,
		writeTime: writeTime, closed: make(chan struct{}),
	}
	h.close = sync.OnceFunc(func() { close(h.closed) })
	switch {
	case o.MaxStreams == 0:
		h.streams = make(chan struct{}, DefaultMaxStreams)
	case o.MaxStreams > 0:
		h.streams = make(chan struct{}, o.MaxStreams)
	}
	h.mux.HandleFunc("/{$}", servePage)
	h.mux.HandleFunc("/events", h.serveEvents)
	h.mux.HandleFunc("/nodes", h.serveNodes)
	h.mux.HandleFunc("/healthz", h.serveHealth)
	h.mux.HandleFunc("/readyz", h.serveReady)
	h.mux.Handle("/metrics", promhttp.HandlerFor(h.gatherer(), promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	return h
}

// gatherer is what /metrics shows.
func (h *Handler) gatherer() prometheus.Gatherer {
	if h.options.Gatherer != nil {
		return h.options.Gatherer
	}
	r := prometheus.NewRegistry()
	// These cannot be refused: the registry is new, and each describes other metrics.
	r.MustRegister(
		metrics.NewCollector(h.server, h.shown()),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// shown are the options of the server's metrics.
func (h *Handler) shown() metrics.Options {
	return metrics.Options{Labels: h.options.Labels, Version: h.options.Version}
}

// Close ends the streams, for an http.Server that is to be shut down, which waits for
// them. Everything else goes on. Calling it again is fine; its error is always nil.
func (h *Handler) Close() error {
	h.close()
	return nil
}

// ServeHTTP makes it an [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", policy)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		http.Error(w, "this only shows: use GET or HEAD", http.StatusMethodNotAllowed)
	case !h.knowsHost(r):
		http.Error(w, fmt.Sprintf("over loopback, and where it is not known which way a request came, this answers for localhost and "+
			"loopback addresses, not for %q: ask for one of those, or set Options.Hosts", r.Host), http.StatusMisdirectedRequest)
	default:
		h.mux.ServeHTTP(w, r)
	}
}

// knowsHost says whether a request names a host that it may: what comes over loopback
// must not be for somebody else's name that points there. Where it is not known to come
// over anything else, it counts as loopback.
func (h *Handler) knowsHost(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		ap, err := netip.ParseAddrPort(local.String())
		if err == nil && !ap.Addr().Unmap().IsLoopback() {
			return true
		}
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.Contains(h.options.Hosts, "*") ||
		slices.ContainsFunc(h.options.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}
