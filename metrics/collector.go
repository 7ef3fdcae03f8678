package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/goepmd/goepmd/epmd"
)

// Options say how a server is shown. The zero value is fine for a program with one.
type Options struct {
	// Labels are put on every metric. Several servers in one registerer need labels
	// that tell them apart, such as {"server": "a"}.
	Labels prometheus.Labels
	// Version is what epmd_build_info tells; empty is the version of the goepmd
	// module in this program.
	Version string
}

// collector is a server as Prometheus sees it.
type collector struct {
	server  *epmd.Server
	version string
	descs   []*prometheus.Desc // of the metrics in their order
}

// NewCollector makes a collector of a server's metrics, for one registerer or more.
// Registering a second one with the same labels is refused by the registerer.
func NewCollector(s *epmd.Server, o Options) prometheus.Collector {
	c := &collector{server: s, version: o.version()}
	for _, m := range metrics {
		c.descs = append(c.descs, prometheus.NewDesc(m.name, m.help, m.labels, o.Labels))
	}
	return c
}

// Describe makes it a [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		to <- d
	}
}

// Collect makes it a [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	figures := figures{Stats: c.server.Stats(), version: c.version, latency: c.server.MeasureLatency}
	for i, m := range metrics {
		if m.histogram != nil {
			if h := m.histogram(figures); h != nil {
				to <- h.metric(c.descs[i])
			}
			continue
		}
		m.read(figures, func(v float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(c.descs[i], m.kind, v, labels...)
		})
	}
}
