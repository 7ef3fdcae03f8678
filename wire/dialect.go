package wire

// Dialect is a set of requests that a daemon understands. What is not in it is
// garbage to the daemon, which closes the connection unanswered.
type Dialect uint8

// Standard is the requests of every OTP, and the zero value.
const Standard Dialect = 0

// Knows says whether a request with this tag is of the dialect.
func (d Dialect) Knows(t Tag) bool {
	switch t {
	case TagAlive2Req, TagPortPlease2Req, TagNamesReq, TagDumpReq, TagKillReq, TagStopReq:
		return d == Standard
	}
	return false
}
