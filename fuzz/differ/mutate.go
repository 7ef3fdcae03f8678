package differ

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"

	"github.com/goepmd/goepmd/conformance"
)

// FromScenario makes a conversation of what a scenario of the conformance suite sends;
// what it expects is left out. It is false if the scenario is too big, or about
// something else than connections from this machine.
func FromScenario(sc conformance.Flat) (Conversation, bool) {
	conns := make(map[string]int)
	var c Conversation
	for _, step := range sc.Steps {
		if step.Run != nil || step.Route != nil || step.Refused {
			return c, false
		}
		if step.Conn == "" {
			continue
		}
		conn, known := conns[step.Conn]
		if !known {
			conn = len(conns)
			conns[step.Conn] = conn
		}
		for _, segment := range step.Send {
			b, err := hex.DecodeString(segment)
			if err != nil || len(b) > MaxSend {
				return c, false
			}
			c.Steps = append(c.Steps, Step{Conn: conn, Kind: Send, Bytes: b})
		}
		switch {
		case step.Open:
			c.Steps = append(c.Steps, Step{Conn: conn, Kind: Open})
		case step.HalfClose:
			c.Steps = append(c.Steps, Step{Conn: conn, Kind: HalfClose})
		case step.Close:
			c.Steps = append(c.Steps, Step{Conn: conn, Kind: Close})
		case step.Reset:
			c.Steps = append(c.Steps, Step{Conn: conn, Kind: Reset})
		}
	}
	return c, len(c.Steps) > 0 && len(c.Steps) <= MaxSteps && len(conns) <= MaxConns
}

// Mutate changes a conversation in one to four places: bytes, the cut between
// segments, the order of steps, or the connection of one.
func Mutate(r *rand.Rand, c Conversation) Conversation {
	steps := slices.Clone(c.Steps)
	for range 1 + r.IntN(4) {
		if len(steps) == 0 {
			break
		}
		i := r.IntN(len(steps))
		s := steps[i]
		switch r.IntN(8) {
		case 0, 1, 2:
			steps[i].Bytes = mutateBytes(r, s.Bytes)
		case 3:
			if len(s.Bytes) > 1 && len(steps) < MaxSteps {
				at := 1 + r.IntN(len(s.Bytes)-1)
				steps[i].Bytes = s.Bytes[:at:at]
				steps = slices.Insert(steps, i+1, Step{Conn: s.Conn, Kind: Send, Bytes: s.Bytes[at:]})
			}
		case 4:
			steps = slices.Delete(steps, i, i+1)
		case 5:
			if len(steps) < MaxSteps {
				steps = slices.Insert(steps, r.IntN(len(steps)), s)
			}
		case 6:
			j := r.IntN(len(steps))
			steps[i], steps[j] = steps[j], steps[i]
		case 7:
			steps[i].Conn = r.IntN(MaxConns)
		}
	}
	return Conversation{Steps: steps, Prefix: c.Prefix}
}

// mutateBytes changes, drops, doubles or adds a few bytes.
func mutateBytes(r *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	if len(b) == 0 {
		return b
	}
	i := r.IntN(len(b))
	switch r.IntN(6) {
	case 0:
		b[i] ^= 1 << r.IntN(8)
	case 1:
		b[i] += byte(1 + r.IntN(3)) // a length that lies a little
	case 2:
		b[i] = []byte{0, 1, 0x7f, 0x80, 0xc0, 0xed, 0xf4, 0xff}[r.IntN(8)]
	case 3:
		b = slices.Delete(b, i, min(i+1+r.IntN(3), len(b)))
	case 4:
		b = slices.Insert(b, i, b[i:min(i+1+r.IntN(4), len(b))]...)
	case 5:
		b = append(b, byte(r.Uint32()))
	}
	return b[:min(len(b), MaxSend)]
}
