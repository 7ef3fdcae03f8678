//go:build unix

package fuzz

import (
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/fuzz/differ"
)

// CheckServer plays the conversation that the bytes are to a server of this process
// over loopback sockets, and to bare sessions: both must answer alike. With multi they
// speak the multi-transport extension.
func CheckServer(data []byte, relaxed, multi bool) error {
	s, err := differ.StartServer(relaxed, dialect(multi))
	if err != nil {
		return err
	}
	pair := differ.Pair{A: s, B: differ.NewSim(relaxed, dialect(multi))}
	d, err := pair.Play(differ.Decode(data))
	if err := errors.Join(err, pair.Stop()); err != nil {
		return err
	}
	if d != nil {
		return fmt.Errorf("the server (A) and bare sessions (B) differ: %s\n%#v", d, d.Conversation)
	}
	return nil
}
