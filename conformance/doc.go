// Package conformance finds out whether a program is an EPMD. What a correct one does
// stands in scenarios, which people read and write as text (scenarios/README.md says
// how): bytes that are sent, bytes that must come, and what becomes of connection and
// daemon. [Scenarios] are those of the suite; OTP's epmd is the specification, and
// where its versions differ a scenario has variants.
//
// A [Target] is what is tested: a [Program], an [Address], a container (package
// container), or anything that implements the interface, such as a server of the same
// process. A [Runner] plays scenarios to it, many at once, each with a daemon of its own.
// Package report shows what came of it; package nodes lets real Erlang nodes use the
// daemon. The program is cmd/epmd-conformance.
//
// # Silence
//
// That a daemon sends nothing is not found by waiting. Two lookups are made on another
// connection, one after the other: a daemon that serves all its connections in one
// loop, as OTP's does, has then dealt with everything that came before. For daemons with
// several threads Runner.Settle is added. Before that, the suite asks the system whether what it
// has sent has arrived.
//
// The messages are written out here once more, from the protocol's description: the suite
// shares no code with the codec that it judges.
package conformance
