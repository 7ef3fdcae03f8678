package metrics_test

import (
	"io"
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/metrics"
)

// TestValues compares the values with the text that Prometheus reads.
func TestValues(t *testing.T) {
	s := epmdtest.NewServer(t, func(s *epmd.Server) { s.MeasureLatency = true })
	s.Node("one", 1)
	_, err := s.Client().Names(t.Context())
	require.NoError(t, err)

	r := prometheus.NewRegistry()
	require.NoError(t, r.Register(metrics.NewCollector(s.Server, metrics.Options{})))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(w.Body)
	require.NoError(t, err)

	want := make(map[string]float64)
	for _, line := range regexp.MustCompile(`(?m)^(epmd_\S+) (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(line[2], 64)
		require.NoError(t, err)
		if v != 0 {
			want[line[1]] = v
		}
	}
	require.Greater(t, len(want), 10)
	require.Equal(t, want, metrics.Values(s.Server, metrics.Options{}))
}
