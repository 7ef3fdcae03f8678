// Package bench puts two EPMD programs under the same load, in alternating pairs, and
// tells what each cost: server CPU per operation from the operating system's accounts
// first, then throughput and latency, and the memory of a registered node.
//
// [Run] measures, on Linux only; the figures and how they are shown ([Report]) work
// everywhere. What the figures mean, and what they do not, is in docs/bench.md.
package bench
