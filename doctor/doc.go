// Package doctor finds out why Erlang nodes do not find each other. It walks the way that
// a node would walk, from the host's name to its addresses, the EPMD there, the port that
// EPMD tells, and the first half of the distribution handshake, and says where the way
// breaks and what to do:
//
//	report, err := new(doctor.Doctor).Examine(ctx, "rabbit@db1.example.com")
//	for _, f := range report.Findings {
//		fmt.Println(f.Code, f.Seen, f.Do)
//	}
//
// What it asks of the network and of the machine are fields of [Doctor] that a program
// may replace. It changes nothing, anywhere: an EPMD sees questions, a node a connection
// that comes to nothing.
package doctor
