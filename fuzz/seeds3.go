package fuzz

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/wire"
)

// addMulti makes the seeds of the multi-transport extension.
func (s seeder) addMulti(m material) error {
	s.addMessages(m, seedsOfMulti)
	s.addTalks(m, seedsOfMulti, false)
	for _, b := range edgeReplies3() {
		s.add("FuzzReply", b)
	}
	for _, p := range edgePackets3() {
		s.add("FuzzRequest", p[wire.HeaderLen:])
		s.add("FuzzFrame", p)
	}
	for _, c := range edgeTalks3() {
		data, err := differ.Encode(c)
		if err != nil {
			return err
		}
		s.put("FuzzServer", "[]byte(%q)\nbool(true)\nbool(true)\n", data)
		s.put("FuzzSession", "[]byte(%q)\n[]byte(%q)\nbool(true)\nbool(true)\n", data, []byte{4, 0})
	}
	return nil
}

// packet puts the length in front of the parts of a body.
func packet(parts ...string) []byte {
	body := strings.Join(parts, "")
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

// alive3 is an ALIVE3_REQ of the node s.
func alive3(transport string) []byte {
	return packet("X\x03\xe8M", string([]byte{byte(len(transport))}), transport, "\x00\x06\x00\x05\x00\x01s\x00\x00")
}

// lookup3 is a PORT_PLEASE3_REQ for the node s, whose list has so many transports and
// says that it has others, and as many bytes more than it has.
func lookup3(has, says, more int) []byte {
	var list strings.Builder
	for i := range has {
		fmt.Fprintf(&list, "\x03t%02d", i)
	}
	size := binary.BigEndian.AppendUint16(nil, uint16(list.Len()+more))
	return packet("Z\x00", string([]byte{byte(says)}), string(size), list.String(), "\x01s")
}

func edgePackets3() [][]byte {
	return [][]byte{
		alive3(strings.Repeat("t", 127)), alive3(strings.Repeat("t", 128)), alive3("a\x00b"), alive3(""),
		lookup3(32, 32, 0), lookup3(33, 33, 0), lookup3(0, 0, 0), lookup3(2, 1, 0), lookup3(2, 3, 0), lookup3(2, 2, 1), lookup3(2, 2, -1), lookup3(1, 1, 9000),
		packet("Z\x00\x01\x00\x81\x80", strings.Repeat("t", 128), "\x01s"), packet("Z\xff\x00\x00\x00\x09s\x00"), packet("Z\x00\x00\x00\x00\x00"),
		packet("N"), packet("D"), packet("K"), packet("S"), packet("S\x00s"),
	}
}

// edgeTalks3: the 33rd transport of a name, which others add to; a request in pieces
// on a connection that takes more, and one that is none; a node that registers both
// ways; the end of what another connection holds too.
func edgeTalks3() []differ.Conversation {
	say := func(conn int, packets ...[]byte) differ.Step {
		s := differ.Step{Conn: conn}
		for _, p := range packets {
			s.Bytes = append(s.Bytes, p...)
		}
		return s
	}
	var many [][]byte
	for i := range wire.MaxTransports {
		many = append(many, alive3(fmt.Sprintf("t%02d", i)))
	}
	old := packet("x\x03\xe8M\x00\x00\x06\x00\x05\x00\x01s\x00\x00")
	names, tcp := packet("N"), alive3("inet_tcp")
	const half = 9
	talks := [][]differ.Step{
		{say(0, many[0]), say(0, many[1:]...), say(1, alive3("last")), say(1, tcp), say(2, names), say(3, lookup3(32, 32, 0))},
		{say(0, tcp), say(0, many[1][:half]), say(1, names), say(0, many[1][half:], many[2][:1]), say(0, packet("N")[1:]), say(1, names)},
		{say(0, tcp), say(1, old), say(1, tcp), say(2, names), {Conn: 0, Kind: differ.Close}, say(3, packet("D")), say(4, packet("zs"))},
		{say(0, old), say(1, tcp), say(2, lookup3(1, 1, 0)), say(3, packet("K"))},
		{say(0, tcp), say(1, many[1]), say(2, packet("Ss")), say(3, packet("D")), say(4, packet("S"))},
	}
	out := make([]differ.Conversation, len(talks))
	for i, steps := range talks {
		out[i] = differ.Conversation{Steps: steps}
	}
	return out
}

func edgeReplies3() [][]byte {
	of := []wire.Transport{{Name: "inet_tcp", Port: 1}, {Port: 65535}}
	node := wire.Node{Name: "é", Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5, Extra: "\x00\xff"}
	list := wire.AppendBlocks(nil, wire.DefaultPort)
	list.Name("a at port 1#x\nname b", of)
	list.Name(strings.Repeat("n", 300), of)
	dump := wire.AppendBlocks(nil, wire.DefaultPort)
	dump.Active("a> at port 1#, fd = 2", of, 3)
	dump.Old("b", of[1:], 1<<63)
	return [][]byte{
		node.AppendPort3Resp(nil, of), node.AppendPort3Resp(nil, nil), packet("w\x01"), packet("w\x01\x00"), packet("w\x00\x00\x00\x01\x00\x03\x00\x01\x01M"),
		packet("y\x00\x00\x01"), packet("v\x01\x00\x00\x00c"), packet("v\x00\x00\x01"), packet("y"),
		packet("OK"), packet("NO"), packet("STOPPED"), packet("NOEXIST"), packet("NOEXISTSTOPPED"),
		list.End(), dump.End(), packet("\x01\x00\x00\x11\x11name a at port 1#\n"), packet("\x00\x00\x00\x11\x11"), packet("\x02\x00\x00\x11\x11"), packet("\x00\x00"),
		packet("\x00\x00\x00\x11\x11name a at port 1#b c\n"), packet("\x00\x00\x00\x11\x11name a at port 1# \n"), packet("\x00\x00\x00\x11\x11name a at port 65536#\n"),
	}
}
