// Package cnode is a hidden Erlang node in Go, as small as a C node is: it makes the
// distribution handshake in either direction, calls functions on the peer, and
// answers the peer's pings. It is written from "Distribution Protocol" and "External
// Term Format" in the documentation of ERTS, and shows that what an EPMD tells is
// enough to reach a node, whoever asks.
//
// It trusts no peer: each length is checked against what has arrived, and nesting
// and sizes are bounded.
package cnode
