// Package differ finds out where two EPMDs behave differently. It plays the same
// conversations to both, step by step, and compares what each step led to on
// every connection.
//
// A [Conversation] is a list of steps on a few connections. [Generate] makes
// half-valid ones from a random source, [Decode] makes one of any bytes, for a
// fuzzer. A [Target] is a daemon: a program of its own ([StartProgram]), a
// server of this process ([StartServer]), or bare sessions without a socket
// ([NewSim]). A [Pair] plays to two of them; a [Run] plays very many.
//
// # Silence
//
// That a daemon does not answer is found without waiting for a time to pass.
// After each step a lookup is sent on a connection of its own, and when it was
// answered another one. A daemon that serves all its connections in one loop, as
// OTP's epmd does, has then dealt with everything that was sent before. One with
// a thread for each connection may not have, so when two observations differ
// they are made again until they agree, for up to three seconds, before that
// counts as a difference.
//
// # Many at once
//
// Most of the cost is the kernel's, for TCP connections. Therefore a [Pair] plays a
// batch of conversations side by side, a step of each, and one barrier
// serves them all. They do not meet: each has names with a prefix of its own, and of
// a list only the lines of its own names count. A conversation that cannot be
// kept to its own names is played alone, and there whole lists are compared.
//
// What belongs to one daemon only is made alike before it is compared: its port,
// the descriptors in a dump, and creations, of which the steps from one life of
// a name to the next count.
//
// # Once more
//
// A [Run] plays what differed to fresh daemons, alone, and then, if nothing differs, the
// end of what the daemons had before, more of it each time. A difference that comes again
// counts; one that does not is unsteady, of which a run may have [MaxUnsteady]. Time makes
// few of them: a conversation has one step at a time, and shares no name with those beside it.
package differ
