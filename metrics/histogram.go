package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/goepmd/goepmd/epmd"
)

// histogram is the server's latencies as Prometheus counts: each bucket with all that
// are below it.
type histogram epmd.Latencies

func (h *histogram) metric(d *prometheus.Desc) prometheus.Metric {
	var below uint64
	buckets := make(map[float64]uint64, len(h.Buckets)-1)
	for i, n := range h.Buckets {
		below += n
		if i < len(h.Buckets)-1 { // the last is +Inf, which is the count
			buckets[epmd.LatencyBound(i).Seconds()] = below
		}
	}
	return prometheus.MustNewConstHistogram(d, below, h.Sum.Seconds(), buckets)
}
