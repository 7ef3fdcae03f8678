// Package metrics shows the figures of an [epmd.Server] to Prometheus. It reads
// [epmd.Server.Stats] when it is asked, and nothing before: a server that is watched
// costs what it did. docs/seeing.md explains every metric.
//
// It is a package of its own so that who embeds a server without it depends on no
// Prometheus.
package metrics
