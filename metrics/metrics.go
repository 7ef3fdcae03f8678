package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// figures are what the metrics are read from.
type figures struct {
	epmd.Stats
	version string
	latency bool // it is measured
}

// tell is told one value, with the values of the metric's labels.
type tell func(v float64, labels ...string)

// metric is one metric and how to read it.
type metric struct {
	name, help string
	labels     []string
	kind       prometheus.ValueType
	read       func(figures, tell)
	histogram  func(figures) *histogram // in the place of kind and read
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// metrics are all there are; docs/seeing.md has the same table.
var metrics = []metric{
	{
		name: "epmd_build_info", help: "Is 1; the labels tell what runs.",
		labels: []string{"goversion", "version"}, kind: gauge,
		read: func(f figures, tell tell) { tell(1, runtime.Version(), f.version) },
	},
	{
		name: "epmd_nodes", help: "Nodes that are registered.", kind: gauge,
		read: func(f figures, tell tell) { tell(float64(f.Registry.Nodes)) },
	},
	{
		name: "epmd_remembered_names", help: "Names of nodes gone by whose creations are remembered.", kind: gauge,
		read: func(f figures, tell tell) { tell(float64(f.Registry.Remembered)) },
	},
	{
		name: "epmd_registrations_total", help: "Registrations that were made.", kind: counter,
		read: func(f figures, tell tell) { tell(float64(f.Registry.Registrations)) },
	},
	{
		name: "epmd_registrations_ended_total", help: "Registrations that have ended, by why.",
		labels: []string{"reason"}, kind: counter,
		read: func(f figures, tell tell) {
			for r := registry.ReasonClosed; r < registry.NumReasons; r++ {
				tell(float64(f.Registry.Ended[r]), r.String())
			}
		},
	},
	{
		name: "epmd_registrations_refused_total", help: "Registrations that were refused, by why.",
		labels: []string{"reason"}, kind: counter,
		read: func(f figures, tell tell) {
			for r := registry.RefusedTaken; r < registry.NumRefusals; r++ {
				if r != registry.RefusedTransportName { // nobody gets so far with one
					tell(float64(f.Refusals[r]), r.String())
				}
			}
		},
	},
	{
		name: "epmd_requests_total", help: "Complete requests, by kind and by what became of them.",
		labels: []string{"kind", "result"}, kind: counter, read: readRequests,
	},
	{
		name: "epmd_request_duration_seconds", help: "Time from the acceptance of a connection, or what completes its request, until the reply is written. Only with MeasureLatency, which epmd -http sets.",
		histogram: func(f figures) *histogram {
			if !f.latency {
				return nil
			}
			return (*histogram)(&f.Latencies)
		},
	},
	{
		name: "epmd_connections", help: "Open connections: unfinished have not been answered in full, registered hold a registration, refused are kept open after a refusal.",
		labels: []string{"state"}, kind: gauge,
		read: func(f figures, tell tell) {
			tell(float64(f.Unfinished), "unfinished")
			tell(float64(f.Registered), "registered")
			tell(float64(f.Refused), "refused")
		},
	},
	{
		name: "epmd_connections_accepted_total", help: "Connections that were accepted.", kind: counter,
		read: func(f figures, tell tell) { tell(float64(f.Accepted)) },
	},
	{
		name: "epmd_connections_failed_total", help: "Connections that ended badly: partial in the middle of a request, timed_out without a complete one, write_error when the reply could not be written or not in time.",
		labels: []string{"reason"}, kind: counter,
		read: func(f figures, tell tell) {
			tell(float64(f.Partial), "partial")
			tell(float64(f.TimedOut), "timed_out")
			tell(float64(f.WriteErrors), "write_error")
		},
	},
	{
		name: "epmd_faults_total", help: "Connections closed for bytes that are no request, by what is wrong with them.",
		labels: []string{"fault"}, kind: counter,
		read: func(f figures, tell tell) {
			for i := wire.FaultSize; i < wire.NumFaults; i++ {
				if i != wire.FaultSyntax && i != wire.FaultIncomplete { // only replies have these
					tell(float64(f.Faults[i]), i.String())
				}
			}
		},
	},
	{
		name: "epmd_limit_hits_total", help: "Connections closed for a limit, by the server's field: conns MaxConns, peer MaxConnsPerPeer, unfinished MaxUnfinished, refused MaxRefused, pending MaxPendingBytes.",
		labels: []string{"limit"}, kind: counter,
		read: func(f figures, tell tell) {
			tell(float64(f.LimitConns), "conns")
			tell(float64(f.LimitPeer), "peer")
			tell(float64(f.LimitUnfinished), "unfinished")
			tell(float64(f.LimitRefused), "refused")
			tell(float64(f.LimitPending), "pending")
		},
	},
	{
		name: "epmd_accept_errors_total", help: "Failures to accept a connection, such as for want of files.", kind: counter,
		read: func(f figures, tell tell) { tell(float64(f.AcceptErrors)) },
	},
	{
		name: "epmd_hook_panics_total", help: "Panics of the hooks of the program that embeds the server.", kind: counter,
		read: func(f figures, tell tell) { tell(float64(f.HookPanics)) },
	},
}

// kindOther is the kind of requests with a tag that is none.
const kindOther = "other"

func readRequests(f figures, tell tell) {
	for tag, counts := range f.Outcomes {
		if tag == 0 {
			continue
		}
		for o, n := range counts {
			tell(float64(n), tag.String(), session.Outcome(o).String())
		}
	}
	for _, o := range []session.Outcome{session.Answered, session.Denied, session.Faulty} { // nothing else becomes of it
		tell(float64(f.Outcomes[0][o]), kindOther, o.String())
	}
}
