package wire

// Dialect is a set of requests that a daemon understands. What is not in it is
// garbage to the daemon, which closes the connection unanswered.
type Dialect uint8

// The dialects.
const (
	// Standard is the requests of every OTP, and the zero value.
	Standard Dialect = iota
	// MultiTransport is those of Standard, and six more by which a node has
	// several transports under one name. No OTP ever shipped with it.
	MultiTransport
)

// Knows says whether a request with this tag is of the dialect.
func (d Dialect) Knows(t Tag) bool {
	switch t {
	case TagAlive2Req, TagPortPlease2Req, TagNamesReq, TagDumpReq, TagKillReq, TagStopReq:
		return d <= MultiTransport
	case TagAlive3Req, TagPortPlease3Req, TagNames3Req, TagDump3Req, TagKill3Req, TagStop3Req:
		return d == MultiTransport
	}
	return false
}

// String is the dialect as one lower-case word or two.
func (d Dialect) String() string {
	switch d {
	case Standard:
		return "standard"
	case MultiTransport:
		return "multi-transport"
	}
	return "unknown"
}
