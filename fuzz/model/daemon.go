package model

import (
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// Daemon answers requests.
type Daemon struct {
	Names
	// Port is the daemon's own, as its lists tell it.
	Port uint16
	// Relaxed is the relaxed command check.
	Relaxed bool
	// Multi is the multi-transport extension.
	Multi bool
}

// Answer is what becomes of a connection after its request. The zero value is
// closed without an answer.
type Answer struct {
	// Reply is what is sent. Empty is nothing.
	Reply string
	// Kept says that the connection stays open after it, Ends that the daemon ends.
	Kept, Ends bool
	// TakesMore says that a connection that is kept takes further ALIVE3_REQs.
	TakesMore bool
	// Cut is whose connections are closed by force.
	Cut []uint64
	// Outcome is set if the request was to register a node.
	Outcome Outcome
}

// Answer answers the request with a body, tag and all, of a connection at a Unix
// time in seconds. Local says that the peer is on the daemon's machine.
func (d *Daemon) Answer(now int64, conn uint64, local bool, body string) Answer {
	tag, rest := body[0], body[1:]
	switch {
	case d.Multi && strings.ContainsRune("XZNDKS", rune(tag)):
		return d.answer3(now, conn, local, body)
	case tag == 'z':
		return d.portPlease2(rest)
	case tag == 'n':
		return Answer{Reply: d.Names.Names(d.Port)}
	case !local:
		return Answer{}
	case tag == 'x':
		return d.alive2(now, conn, body)
	case tag == 'd':
		return Answer{Reply: d.Dump(d.Port)}
	case tag == 'k' && len(d.Live) > 0 && !d.Relaxed:
		return Answer{Reply: "NO"}
	case tag == 'k':
		return Answer{Reply: "OK", Ends: true}
	case tag == 's' && d.Relaxed:
		return d.stop(rest)
	}
	return Answer{}
}

// End is the end of a connection, or data on one that is kept which ends it.
func (d *Daemon) End(conn uint64) { d.Release(conn) }

func (d *Daemon) alive2(now int64, conn uint64, body string) Answer {
	n := len(body)
	if n <= 13 {
		return Answer{}
	}
	nlen := number(body[9:11])
	if nlen+13 > n {
		return Answer{}
	}
	name, rest := body[11:11+nlen], body[11+nlen:]
	elen := number(rest[:2])
	if nlen+elen+13 > n || strings.Contains(name, "\x00") {
		return Answer{}
	}
	node := wire.Node{
		Name: name, Port: uint16(number(body[1:3])), Type: body[3], Protocol: body[4],
		Highest: uint16(number(body[5:7])), Lowest: uint16(number(body[7:9])), Extra: rest[2 : 2+elen],
	}
	a := Answer{Kept: true, Outcome: d.Register(now, conn, node)}
	a.Reply = a.Outcome.reply(node.Highest)
	return a
}

// reply is what a node of a highest version is answered.
func (o Outcome) reply(highest uint16) string {
	result, creation := byte(0), o.Creation
	if len(o.Broken) > 0 {
		result, creation = 1, 99
	}
	if highest >= 6 {
		return string([]byte{'v', result, byte(creation >> 24), byte(creation >> 16), byte(creation >> 8), byte(creation)})
	}
	return string([]byte{'y', result, byte(creation >> 8), byte(creation)})
}

func (d *Daemon) portPlease2(name string) Answer {
	name = strings.TrimSuffix(name, "\x00")
	chars, valid := Chars(name)
	if name == "" || strings.Contains(name, "\x00") || !valid || chars > 254 {
		return Answer{}
	}
	e, found := d.Lookup(name)
	if !found {
		return Answer{Reply: "w\x01"}
	}
	n := e.Node
	return Answer{Reply: "w\x00" + two(int(n.Port)) + string([]byte{n.Type, n.Protocol}) +
		two(int(n.Highest)) + two(int(n.Lowest)) + two(len(n.Name)) + n.Name + two(len(n.Extra)) + n.Extra}
}

func (d *Daemon) stop(name string) Answer {
	if name == "" {
		return Answer{}
	}
	name, _, _ = strings.Cut(name, "\x00")
	owners := d.Stop(name)
	if owners == nil {
		return Answer{Reply: "NOEXISTSTOPPED"}
	}
	return Answer{Reply: "STOPPED", Cut: owners}
}

// number and two are the 16-bit numbers of the protocol.
func number(s string) int { return int(s[0])<<8 | int(s[1]) }
func two(n int) string    { return string([]byte{byte(n >> 8), byte(n)}) }
