//go:build unix

package differ

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// Server is an [epmd.Server] of this process.
type Server struct {
	tcp
	*epmd.Server
	ended chan error
	err   error
	over  bool
}

// StartServer starts a server on a free port of 127.0.0.1. With relaxed it allows
// STOP_REQ; a taken name it refuses at once.
func StartServer(relaxed bool, d wire.Dialect) (*Server, error) {
	return startServer(relaxed, d, epmd.EngineAuto)
}

func startServer(relaxed bool, d wire.Dialect, engine epmd.Engine) (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		tcp:    tcp{port: uint16(ln.Addr().(*net.TCPAddr).Port)},
		Server: &epmd.Server{RelaxedCommandCheck: relaxed, MultiTransport: d == wire.MultiTransport, TakenGrace: -1, Engine: engine},
		ended:  make(chan error, 1),
	}
	go func() { s.ended <- s.Serve(ln) }()
	return s, nil
}

// Port is the port that it listens on.
func (s *Server) Port() uint16 { return s.port }

// Exit waits for the server's end, and gives the status with which a program would
// end.
func (s *Server) Exit() (int, error) {
	if !s.over {
		select {
		case s.err = <-s.ended:
			s.over = true
		case <-time.After(patience):
			return 0, errors.New("the server does not end")
		}
	}
	if errors.Is(s.err, epmd.ErrKilled) {
		return 0, nil
	}
	return 1, fmt.Errorf("the server ended by itself: %w", s.err)
}

// Stop closes the server and waits until nothing of it runs.
func (s *Server) Stop() error {
	if err := s.Close(); err != nil {
		return err
	}
	if !s.over {
		s.err, s.over = <-s.ended, true
	}
	if !errors.Is(s.err, epmd.ErrServerClosed) && !errors.Is(s.err, epmd.ErrKilled) {
		return fmt.Errorf("the server ended by itself: %w", s.err)
	}
	return nil
}
