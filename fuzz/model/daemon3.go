package model

import (
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// answer3 answers the requests of the multi-transport extension.
func (d *Daemon) answer3(now int64, conn uint64, local bool, body string) Answer {
	tag, rest := body[0], body[1:]
	switch {
	case tag == 'Z':
		return d.portPlease3(body)
	case tag == 'N':
		return Answer{Reply: d.Names3(d.Port)}
	case !local:
		return Answer{}
	case tag == 'X':
		return d.Alive3(now, conn, body)
	case tag == 'D':
		return Answer{Reply: d.Dump3(d.Port)}
	case tag == 'K' && len(d.Live) > 0 && !d.Relaxed:
		return Answer{Reply: "\x00\x02NO"}
	case tag == 'K':
		return Answer{Reply: "\x00\x02OK", Ends: true}
	case tag == 'S' && d.Relaxed:
		return d.stop3(rest)
	}
	return Answer{}
}

func (d *Daemon) stop3(name string) Answer {
	var owners []uint64
	if name != "" {
		name, _, _ = strings.Cut(name, "\x00")
		owners = d.Stop(name)
	}
	if owners == nil {
		return Answer{Reply: "\x00\x07NOEXIST"}
	}
	return Answer{Reply: "\x00\x07STOPPED", Cut: owners}
}

// Alive3 answers an ALIVE3_REQ, the first of a connection or a later one, of which
// the body is given. If it is not kept, the connection is to be ended.
func (d *Daemon) Alive3(now int64, conn uint64, body string) Answer {
	n := len(body)
	if body[0] != 'X' || n < 14 {
		return Answer{}
	}
	tlen := int(body[4])
	if tlen >= 128 || 13+tlen > n {
		return Answer{}
	}
	transport, rest := body[5:5+tlen], body[5+tlen:]
	nlen := number(rest[4:])
	if 13+tlen+nlen > n {
		return Answer{}
	}
	name, tail := rest[6:6+nlen], rest[6+nlen:]
	elen := number(tail)
	if 13+tlen+nlen+elen > n || strings.Contains(name+transport, "\x00") {
		return Answer{}
	}
	node := wire.Node{
		Name: name, Port: uint16(number(body[1:])), Type: body[3], Highest: uint16(number(rest)),
		Lowest: uint16(number(rest[2:])), Extra: tail[2 : 2+elen], Transport: transport,
	}
	a := Answer{Kept: true, TakesMore: true, Outcome: d.RegisterTransport(now, conn, node)}
	reply := a.Outcome.reply(node.Highest)
	a.Reply = two(len(reply)) + reply
	return a
}

func (d *Daemon) portPlease3(body string) Answer {
	none := Answer{Reply: "\x00\x02w\x01"}
	if len(body) < 6 {
		return Answer{}
	}
	count, mlen := int(body[2]), number(body[3:])
	if count > 32 || 5+mlen+1 > len(body) {
		return none
	}
	var of []string
	list := body[5 : 5+mlen]
	for list != "" && 1+int(list[0]) <= len(list) {
		if list[0] >= 128 {
			return Answer{}
		}
		of = append(of, list[1:1+int(list[0])])
		list = list[1+int(list[0]):]
	}
	name := strings.TrimSuffix(body[5+mlen+1:], "\x00")
	if list != "" || len(of) != count {
		return none
	}
	if name == "" {
		return Answer{}
	}
	e, held, found := d.LookupTransports(name, of)
	if !found {
		return none
	}
	ports := ""
	for _, h := range held {
		ports += two(int(h.Port)) + string([]byte{byte(len(h.Name))}) + h.Name
	}
	n := e.Node
	reply := "w\x00\x00\x00" + string([]byte{byte(len(held))}) + two(len(ports)) + ports + string([]byte{n.Type}) +
		two(int(n.Highest)) + two(int(n.Lowest)) + two(len(n.Name)) + n.Name + two(len(n.Extra)) + n.Extra
	return Answer{Reply: two(len(reply)) + reply}
}
