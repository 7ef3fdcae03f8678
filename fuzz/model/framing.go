package model

// Frame is where the first bytes of a connection leave it.
type Frame int

// The frames.
const (
	Unknown  Frame = iota // the length is not known yet
	Begun                 // the packet is not complete
	Complete              // it is
	Bad                   // the connection is closed for its length, or for excess bytes
)

// Framing says where a connection stands after so many bytes. glued is how many
// of them came up to the end of the read that made the length known: bytes behind
// the packet are a fault only in there. The body is that of a complete packet.
func Framing(arrived string, glued int) (f Frame, body string) {
	if len(arrived) < 2 {
		return Unknown, ""
	}
	n := number(arrived)
	switch {
	case n+2 < 3, n+2 >= 3060, glued > n+2:
		return Bad, ""
	case len(arrived) < n+2:
		return Begun, ""
	}
	return Complete, arrived[2 : n+2]
}
