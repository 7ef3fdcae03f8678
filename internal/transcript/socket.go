package transcript

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	// gap is between two segments: each is to arrive on its own.
	gap = 30 * time.Millisecond
	// silence is how long nothing comes before a connection counts as open.
	silence = 150 * time.Millisecond
	// patience bounds everything that should happen at once.
	patience = 20 * time.Second
)

func pause(d time.Duration) {
	if d > 0 {
		time.Sleep(d)
	}
}

// Dial connects to a daemon over TCP.
func Dial(addr string) (Conn, error) {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return &socket{c.(*net.TCPConn)}, nil
}

type socket struct{ *net.TCPConn }

func (s *socket) Send(segments [][]byte) error {
	for i, b := range segments {
		if i > 0 {
			pause(gap)
		}
		// The daemon may close before all is sent: what matters is what it
		// answers.
		if _, err := s.Write(b); err != nil && i == 0 {
			return err
		}
	}
	return nil
}

func (s *socket) HalfClose() error { return s.CloseWrite() }

func (s *socket) Reset() error {
	if err := s.SetLinger(0); err != nil {
		return err
	}
	return s.Close()
}

func (s *socket) Recv() ([]byte, bool, error) {
	var got []byte
	buf := make([]byte, 1<<16)
	started := time.Now()
	for time.Since(started) < patience {
		if err := s.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return got, false, err
		}
		n, err := s.Read(buf)
		got = append(got, buf[:n]...)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return got, false, nil
		case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
			return got, true, nil
		default:
			return got, false, err
		}
	}
	return got, false, errors.New("no end of data")
}
