package doctor

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"sync"
	"time"
)

// while is how long an answer may take before something else is tried beside.
const while = 700 * time.Millisecond

// shown is how many bytes are shown of what is no answer.
const shown = 32

// said is a connection to a node's port, and what came first on it.
type said struct {
	net.Conn
	mu    sync.Mutex
	first []byte
	leaf  *x509.Certificate // by TLS: the peer's
}

func (s *said) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = append(s.first, b[:min(n, shown-len(s.first))]...)
	return n, err
}

// more waits a moment for what else there is to show.
func (s *said) more() {
	const moment = 200 * time.Millisecond
	_ = s.SetReadDeadline(time.Now().Add(moment)) // without it, the end of the question ends the wait
	_, _ = s.Read(make([]byte, shown))            // what comes is kept; if nothing does, the first bytes must do
}

// nudge ends the line for one who waits for that, as a web server does, if nothing has
// come for a while. A node that is but slow takes it for the length of a next message.
func (s *said) nudge() (stop func() bool) {
	return time.AfterFunc(while, func() {
		if s.silent() {
			_, _ = s.Write([]byte("\r\n\r\n")) // if it cannot be written, the reader knows
		}
	}).Stop
}

// silent says that nothing came.
func (s *said) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.first) == 0
}

// isTLS says that what came begins a record of TLS, an alert or a handshake.
func (s *said) isTLS() bool {
	const alert, handshake, major = 0x15, 0x16, 0x03
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.first) >= 2 && (s.first[0] == alert || s.first[0] == handshake) && s.first[1] == major
}

// words says what came.
func (s *said) words() string {
	if s.silent() {
		return "it closes the connection without a word"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return says(s.first)
}

// says writes what somebody says who is not what he should be.
func says(b []byte) string {
	if bytes.HasPrefix(b, []byte("HTTP/")) || b[0] == '<' {
		return fmt.Sprintf("it is a web server, and says %q", b)
	}
	return fmt.Sprintf("it says %q", b)
}
