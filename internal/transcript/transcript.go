// Package transcript holds conversations that were recorded with OTP's epmd, and
// plays them against any other: over sockets, or against bare sessions.
package transcript

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Scenario is one conversation with a fresh daemon.
type Scenario struct {
	Name string `json:"name"`
	// Area is the part of the protocol that it is about.
	Area string `json:"area"`
	// Relaxed says that the daemon runs with the relaxed command check.
	Relaxed bool   `json:"relaxed"`
	Steps   []Step `json:"steps"`
}

// Step is what happens on one connection, in the order of the fields.
type Step struct {
	// Conn names the connection, which is opened at its first Send.
	Conn string `json:"conn"`
	// Sleep is a pause in seconds.
	Sleep float64 `json:"sleep"`
	// Send is what is sent, in hexadecimal, its segments separated by "|".
	Send string `json:"send"`
	// HalfClose, Close and Reset end the sending side, or the connection.
	HalfClose bool `json:"halfclose"`
	Close     bool `json:"close"`
	Reset     bool `json:"reset"`
	// Recv is what must arrive, as a pattern (see Matcher); nil expects nothing
	// and checks nothing.
	Recv *string `json:"recv"`
	// Then says whether the daemon has closed the connection by then: "open" or
	// "closed".
	Then string `json:"then"`
	// Exits is the status with which the daemon ends.
	Exits *int `json:"exits"`
}

// Segments are the pieces of Send, as bytes.
func (s Step) Segments() ([][]byte, error) {
	if s.Send == "" {
		return nil, nil
	}
	var out [][]byte
	for part := range strings.SplitSeq(s.Send, "|") {
		b, err := hex.DecodeString(part)
		if err != nil {
			return nil, fmt.Errorf("send %q: %w", s.Send, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// Pause is Sleep as a duration.
func (s Step) Pause() time.Duration { return time.Duration(s.Sleep * float64(time.Second)) }

//go:embed standard.json
var standard []byte

// Standard is the conversations recorded with the epmd of OTP 27, which hold for
// those of OTP 23, 25 and 29 too.
func Standard() ([]Scenario, error) {
	var file struct {
		Scenarios []Scenario `json:"scenarios"`
	}
	if err := json.Unmarshal(standard, &file); err != nil {
		return nil, fmt.Errorf("recorded conversations: %w", err)
	}
	return file.Scenarios, nil
}
