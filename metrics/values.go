package metrics

import (
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/epmd"
)

// Values reads the metrics of a server without Prometheus: its series, named as in the
// text that Prometheus reads, such as epmd_requests_total{kind="NAMES_REQ",result="answered"}.
// A series that is not there is 0. The options' labels are left out.
func Values(s *epmd.Server, o Options) map[string]float64 {
	f := figures{Stats: s.Stats(), version: o.version(), latency: s.MeasureLatency}
	out := make(map[string]float64)
	for _, m := range metrics {
		if m.histogram != nil {
			if h := m.histogram(f); h != nil {
				h.values(m.name, out)
			}
			continue
		}
		m.read(f, func(v float64, values ...string) {
			if v != 0 {
				out[series(m.name, m.labels, values)] = v
			}
		})
	}
	return out
}

// series is the name of a series as Prometheus writes it.
func series(name string, labels, values []string) string {
	if len(labels) == 0 {
		return name
	}
	var b strings.Builder
	b.WriteString(name)
	for i, label := range labels {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		b.WriteString(sep + label + "=" + strconv.Quote(values[i]))
	}
	b.WriteByte('}')
	return b.String()
}

func (h *histogram) values(name string, into map[string]float64) {
	var below uint64
	for i, n := range h.Buckets {
		below += n
		le := "+Inf"
		if i < len(h.Buckets)-1 {
			le = strconv.FormatFloat(epmd.LatencyBound(i).Seconds(), 'g', -1, 64)
		}
		if below > 0 {
			into[series(name+"_bucket", []string{"le"}, []string{le})] = float64(below)
		}
	}
	into[name+"_sum"], into[name+"_count"] = h.Sum.Seconds(), float64(below)
}
