package metrics_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collect gathers all series of a registry: "name{value,value}" and its value; of a
// histogram the count.
func collect(t testing.TB, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	out := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			name := f.GetName()
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			switch {
			case m.GetCounter() != nil:
				out[name] = m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				out[name] = m.GetGauge().GetValue()
			default:
				out[name] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return out
}

// family is the metric of a series.
func family(series string) string {
	name, _, _ := strings.Cut(series, "{")
	return name
}

// register makes a registerer with the metrics of a server.
func register(t testing.TB, s *epmd.Server) *prometheus.Registry {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	require.NoError(t, r.Register(metrics.NewCollector(s, metrics.Options{Version: "1.2.3"})))
	return r
}

// TestTwoServers: several servers in one registerer are told apart by labels, and
// those that cannot be told apart are refused.
func TestTwoServers(t *testing.T) {
	a, b := epmdtest.NewServer(t), epmdtest.NewServer(t)
	a.Node("one", 1)
	b.Node("two", 2)
	b.Node("three", 3)
	r := prometheus.NewPedanticRegistry()
	require.NoError(t, r.Register(metrics.NewCollector(a.Server, metrics.Options{Labels: prometheus.Labels{"server": "a"}})))
	require.NoError(t, r.Register(metrics.NewCollector(b.Server, metrics.Options{Labels: prometheus.Labels{"server": "b"}})))
	require.Error(t, r.Register(metrics.NewCollector(b.Server, metrics.Options{Labels: prometheus.Labels{"server": "b"}})))
	got := collect(t, r)
	require.EqualValues(t, 1, got["epmd_nodes{a}"])
	require.EqualValues(t, 2, got["epmd_nodes{b}"])
}

// TestBuildInfo: the version is the one that was given, or the module's.
func TestBuildInfo(t *testing.T) {
	s := epmdtest.NewServer(t)
	require.Contains(t, collect(t, register(t, s.Server)), fmt.Sprintf("epmd_build_info{%s,1.2.3}", runtime.Version()))
	r := prometheus.NewRegistry()
	require.NoError(t, r.Register(metrics.NewCollector(s.Server, metrics.Options{})))
	require.Contains(t, collect(t, r), fmt.Sprintf("epmd_build_info{%s,development}", runtime.Version()))
}

// TestUnmeasured: latencies that are not measured are not shown as none.
func TestUnmeasured(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("one", 1)
	require.NotContains(t, collect(t, register(t, s.Server)), "epmd_request_duration_seconds")
}

// TestTable: the table in the documentation and the metrics are the same: names,
// kinds, labels and meanings.
func TestTable(t *testing.T) {
	text, err := os.ReadFile("../docs/seeing.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `(epmd_\\w+)` \\| (\\w+) \\| ([^|]*) \\| ([^|]+) \\|$").FindAllStringSubmatch(string(text), -1)
	told := make(map[string]string)
	for _, r := range rows {
		require.NotContains(t, told, r[1])
		told[r[1]] = strings.Join(r[2:], "|")
	}

	s := epmdtest.NewServer(t, func(s *epmd.Server) { s.MeasureLatency = true })
	families, err := register(t, s.Server).Gather()
	require.NoError(t, err)
	is := make(map[string]string)
	for _, f := range families {
		labels := []string{}
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		is[f.GetName()] = strings.Join([]string{strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp()}, "|")
	}
	require.Equal(t, is, told)

	descs := make(chan *prometheus.Desc, 100)
	metrics.NewCollector(s.Server, metrics.Options{}).Describe(descs)
	require.Len(t, descs, len(is), "each that is described is collected")
}

// TestEveryLabelIsTold: each value of each label stands in the documentation.
func TestEveryLabelIsTold(t *testing.T) {
	text, err := os.ReadFile("../docs/seeing.md")
	require.NoError(t, err)
	s := epmdtest.NewServer(t)
	for _, series := range slices.Sorted(maps.Keys(collect(t, register(t, s.Server)))) {
		_, labels, labelled := strings.Cut(strings.TrimSuffix(series, "}"), "{")
		if !labelled || family(series) == "epmd_build_info" {
			continue
		}
		for _, value := range strings.Split(labels, ",") {
			require.Regexp(t, "\\b"+value+"\\b", string(text), series)
		}
	}
}
