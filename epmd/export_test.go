package epmd

// WaitingFor is how many registrations wait for a taken name.
func (s *Server) WaitingFor(name string) int { return s.init().config.Waiters.Waiting([]byte(name)) }
