// Package registry holds the names of an EPMD: which nodes are registered, in
// which order and by whom, which names are remembered from nodes gone by, and
// the creation that each name is given.
//
// A registration belongs to its [Owner], the connection that made it, and ends
// with it ([Registry.Release]) or when somebody stops the name by force
// ([Registry.Unregister]); nothing else ends it. Registering, looking up and
// ending take the same time however many names there are. The lists that NAMES_REQ
// and DUMP_REQ ask for are kept as bytes and made anew only after a change.
//
// If two owners register one name at the same time, the one that takes the registry's lock
// first gets the name, and the other is refused.
//
// # Transports
//
// A name that [Registry.RegisterTransport] registers has transports, each with a
// port and an owner of its own. It is registered for as long as any of them stands.
// A name that [Registry.Register] registered has none, and takes none; one that has
// transports may get another one by Register, without a name, and stays one that has
// transports if that one is left alone.
//
// # Creations
//
// Each name has a counter of 32 bits. A name that was never seen begins at the
// Unix time in seconds plus one; a remembered name continues with its counter
// plus one; no sum is ever below 4. When more names than [Config].Remember are
// remembered, a new name takes over the record of the one that was
// unregistered longest ago, and its counter as it stands. So it was observed on
// the epmd programs of OTP 23 to 29.
//
// A [Registry] is safe for concurrent use. It starts no goroutine and asks the
// time only of [Config].Now.
package registry
