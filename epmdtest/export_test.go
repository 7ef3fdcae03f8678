package epmdtest

import "testing"

// WithTB is the server with another test to fail.
func WithTB(s *Server, tb testing.TB) *Server {
	out := *s
	out.tb = tb
	return &out
}
