// Package session is one connection to an EPMD without the connection: a state
// machine that is fed what arrives and says what to send and what to do next. It
// touches no socket and no clock, starts nothing and keeps nothing but what its
// [Daemon] shares, so that the same code serves under every engine, in tests,
// and where there is no operating system at all.
//
// An engine does this for each connection:
//
//	s := daemon.Open(owner, peer, time.Now())
//	for {
//		// read at most s.Want() bytes, until s.Deadline()
//		res := s.Feed(time.Now(), chunk, scratch)
//		// close the connections of res.Evict, write res.Reply
//		// on Close: leave; on StopDaemon: leave and end the daemon
//	}
//	s.End(reason) // always, once the connection is gone
//
// How bytes are cut into chunks matters, as it does in OTP's epmd: a chunk must be
// what one read returned, and no read may ask for more than [Session.Want].
package session
