// Package wire is the protocol of the Erlang Port Mapper Daemon (EPMD) as
// bytes: requests and replies, their framing and their limits. It does no I/O,
// keeps no state, starts nothing and imports the standard library only.
//
// # Framing
//
// A request is a packet: a length of two bytes, big-endian, and so many bytes
// of body, the first of which is the [Tag]. [PacketLen] tells from the first
// bytes of a stream how long its packet is. The Parse…Req functions take the
// body; the Append methods of the requests write the whole packet.
//
// Replies have no length in front. A Parse…Resp function takes what has
// arrived so far and says how many bytes the reply takes up; as long as more
// must come it answers [FaultIncomplete]. The replies to NAMES_REQ and DUMP_REQ
// end only when the daemon closes the connection.
//
// The requests of the dialect [MultiTransport] are packets too, but their replies
// have a length in front; lists come in [Blocks].
//
// # Views and nodes
//
// What a parser returns borrows from the bytes that it was given: it is valid as
// long as they are. Parsing never allocates, neither for good input nor for
// bad. [Alive2Req.Node] and [Port2Resp.Node] make the copy to keep, a [Node].
//
// # Errors
//
// Every error of this package is an [*Error]: it names the message, the [Field]
// and the [Fault]. errors.Is(err, wire.FaultNUL) asks for the fault alone. The
// faults are small integers, so that a program can count them in an array.
//
// Every rule here was observed on the epmd programs of OTP 23 to 29, or for the
// extension on the one program that spoke it; where a rule surprises, its comment
// says so.
package wire
