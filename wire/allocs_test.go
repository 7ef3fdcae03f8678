package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/goepmd/goepmd/wire"
)

// The longest fields, since short ones fit in buffers that the compiler keeps on
// the stack.
var (
	longName  = strings.Repeat("\U0001f600", wire.MaxLookupChars)
	longExtra = strings.Repeat("e", wire.MaxExtraBytes)
	longNode  = wire.Node{Name: longName, Port: 0x99e9, Type: 77, Highest: 6, Lowest: 5, Extra: longExtra}
)

// mustBody gives the body of a request that appends to a packet.
func mustBody(req interface{ Append([]byte) ([]byte, error) }) []byte {
	packet, err := req.Append(nil)
	if err != nil {
		panic(err)
	}
	return packet[wire.HeaderLen:]
}

// What the functions return is kept here, so that no call is optimised away.
var (
	keptBytes []byte
	keptErr   error
	keptLen   int
)

func testNoAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	assert.Zero(t, testing.AllocsPerRun(100, f), name)
}

func TestParseReqAllocatesNothing(t *testing.T) {
	alive2 := mustBody(wire.Alive2Req{Name: []byte(longName), Extra: []byte(longExtra), Tail: []byte("tail")})
	port2 := mustBody(wire.PortPlease2Req{Name: []byte(longName), Terminated: true})
	stop := mustBody(wire.StopReq{Name: []byte(longName), Tail: []byte("\x00tail")})
	withNUL := append([]byte("zz"), make([]byte, 100)...)
	for name, body := range map[string][]byte{
		"ALIVE2_REQ":                        alive2,
		"ALIVE2_REQ without name":           mustBody(wire.Alive2Req{Tail: []byte("tail")}),
		"ALIVE2_REQ cut":                    alive2[:len(alive2)-5],
		"ALIVE2_REQ cut in the name":        alive2[:100],
		"ALIVE2_REQ cut in the fixed bytes": alive2[:13],
		"ALIVE2_REQ with NUL":               unhex("78 03e8 4d 00 0006 0005 0002 6100 0000"),
		"PORT_PLEASE2_REQ":                  port2,
		"PORT_PLEASE2_REQ of UTF-8":         []byte("zatrixié"),
		"PORT_PLEASE2_REQ cut in UTF-8":     []byte(("z" + longName)[:100]),
		"PORT_PLEASE2_REQ without name":     []byte("z"),
		"PORT_PLEASE2_REQ with NULs":        withNUL,
		"PORT_PLEASE2_REQ too long":         []byte("z" + strings.Repeat("a", 255)),
		"NAMES_REQ":                         []byte("n" + longName),
		"DUMP_REQ":                          []byte("d" + longName),
		"KILL_REQ":                          []byte("k" + longName),
		"STOP_REQ":                          stop,
		"STOP_REQ without name":             []byte("s"),
		"unknown tag":                       []byte("?" + longName),
		"empty":                             nil,
	} {
		testNoAllocs(t, "BodyTag of "+name, func() { _, keptErr = wire.BodyTag(body) })
		testNoAllocs(t, "ParseAlive2Req of "+name, func() {
			r, err := wire.ParseAlive2Req(body)
			keptBytes, keptErr = r.Name, err
		})
		testNoAllocs(t, "ParsePortPlease2Req of "+name, func() {
			r, err := wire.ParsePortPlease2Req(body)
			keptBytes, keptErr = r.Name, err
		})
		testNoAllocs(t, "ParseNamesReq of "+name, func() {
			r, err := wire.ParseNamesReq(body)
			keptBytes, keptErr = r.Tail, err
		})
		testNoAllocs(t, "ParseDumpReq of "+name, func() {
			r, err := wire.ParseDumpReq(body)
			keptBytes, keptErr = r.Tail, err
		})
		testNoAllocs(t, "ParseKillReq of "+name, func() {
			r, err := wire.ParseKillReq(body)
			keptBytes, keptErr = r.Tail, err
		})
		testNoAllocs(t, "ParseStopReq of "+name, func() {
			r, err := wire.ParseStopReq(body)
			keptBytes, keptErr = r.Name, err
		})
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "1 byte": {0}, "0": {0, 0}, "3058": {0x0b, 0xf2}, "1": {0, 1, 'n'}, "1 and more": {0, 1, 'n', 0},
	} {
		testNoAllocs(t, "PacketLen of "+name, func() { keptLen, keptErr = wire.PacketLen(b) })
		testNoAllocs(t, "FirstPacketLen of "+name, func() { keptLen, keptErr = wire.FirstPacketLen(b) })
	}
}

func TestParseRespAllocatesNothing(t *testing.T) {
	port2 := longNode.AppendPort2Resp(nil)
	names := wire.AppendListPort(nil, 4369)
	dump := wire.AppendListPort(nil, 4369)
	for range 3 {
		names = wire.AppendNameLine(names, longName+" at port 5", 1000)
		dump = wire.AppendActiveLine(dump, longName, 1000, 7)
		dump = wire.AppendOldLine(dump, longName, 1000, 7)
	}
	for name, b := range map[string][]byte{
		"ALIVE2_RESP":          unhex("79 00 0003"),
		"ALIVE2_RESP cut":      unhex("79 00 00"),
		"ALIVE2_X_RESP":        unhex("76 00 00000004"),
		"ALIVE2_X_RESP cut":    unhex("76 00 000000"),
		"PORT2_RESP":           port2,
		"PORT2_RESP cut":       port2[:len(port2)-1],
		"PORT2_RESP not found": {119, 1},
		"NAMES_RESP":           names,
		"NAMES_RESP cut":       names[:len(names)-1],
		"DUMP_RESP":            dump,
		"DUMP_RESP cut":        dump[:len(dump)-1],
		"OK":                   []byte("OK"),
		"NO":                   []byte("NO"),
		"O":                    []byte("O"),
		"STOPPED":              []byte("STOPPED"),
		"NOEXISTSTOPPED":       []byte("NOEXISTSTOPPED"),
		"NOEXIST":              []byte("NOEXIST"),
		"empty":                nil,
	} {
		testNoAllocs(t, "ParseAlive2Resp of "+name, func() { _, keptLen, keptErr = wire.ParseAlive2Resp(b) })
		testNoAllocs(t, "ParsePort2Resp of "+name, func() {
			r, n, err := wire.ParsePort2Resp(b)
			keptBytes, keptLen, keptErr = r.Name, n, err
		})
		testNoAllocs(t, "ParseListPort of "+name, func() { _, keptBytes, keptErr = wire.ParseListPort(b) })
		_, lines, _ := wire.ParseListPort(b)
		testNoAllocs(t, "NameLines of "+name, func() {
			for line, err := range wire.NameLines(lines) {
				keptBytes, keptErr = line.Name, err
			}
		})
		testNoAllocs(t, "DumpLines of "+name, func() {
			for line, err := range wire.DumpLines(lines) {
				keptBytes, keptErr = line.Name, err
			}
		})
		testNoAllocs(t, "ParseKillResp of "+name, func() { _, keptLen, keptErr = wire.ParseKillResp(b) })
		testNoAllocs(t, "ParseStopResp of "+name, func() { _, keptLen, keptErr = wire.ParseStopResp(b) })
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	name, extra := []byte(longName), []byte(longExtra)
	tooLong := make([]byte, wire.MaxPacketLen)
	room := make([]byte, 0, 2*wire.MaxPacketLen)
	for what, f := range map[string]func(){
		"Alive2Req": func() {
			keptBytes, keptErr = wire.Alive2Req{Name: name, Extra: extra, Tail: extra}.Append(room)
		},
		"Alive2Req too long":      func() { keptBytes, keptErr = wire.Alive2Req{Tail: tooLong}.Append(room) },
		"Alive2Req empty":         func() { keptBytes, keptErr = wire.Alive2Req{}.Append(room) },
		"Alive2Req with NUL":      func() { keptBytes, keptErr = wire.Alive2Req{Name: tooLong}.Append(room) },
		"Node.AppendAlive2Req":    func() { keptBytes, keptErr = longNode.AppendAlive2Req(room) },
		"Node.AppendPort2Resp":    func() { keptBytes = longNode.AppendPort2Resp(room) },
		"Alive2Resp":              func() { keptBytes = wire.Alive2Resp{Creation: 3}.Append(room) },
		"Alive2Resp, extended":    func() { keptBytes = wire.Alive2Resp{Extended: true, Creation: 4}.Append(room) },
		"PortPlease2Req":          func() { keptBytes, keptErr = wire.PortPlease2Req{Name: name}.Append(room) },
		"the same, terminated":    func() { keptBytes, keptErr = wire.PortPlease2Req{Name: name, Terminated: true}.Append(room) },
		"PortPlease2Req with NUL": func() { keptBytes, keptErr = wire.PortPlease2Req{Name: tooLong}.Append(room) },
		"PortPlease2Req too long": func() { keptBytes, keptErr = wire.PortPlease2Req{Name: extra}.Append(room) },
		"Port2Resp":               func() { keptBytes = wire.Port2Resp{Name: name, Extra: extra}.Append(room) },
		"Port2Resp not found":     func() { keptBytes = wire.Port2Resp{Result: 1}.Append(room) },
		"NamesReq":                func() { keptBytes, keptErr = wire.NamesReq{Tail: extra}.Append(room) },
		"NamesReq too long":       func() { keptBytes, keptErr = wire.NamesReq{Tail: tooLong}.Append(room) },
		"DumpReq":                 func() { keptBytes, keptErr = wire.DumpReq{Tail: extra}.Append(room) },
		"KillReq":                 func() { keptBytes, keptErr = wire.KillReq{Tail: extra}.Append(room) },
		"StopReq":                 func() { keptBytes, keptErr = wire.StopReq{Name: name, Tail: tooLong[:9]}.Append(room) },
		"StopReq with NUL":        func() { keptBytes, keptErr = wire.StopReq{Name: tooLong}.Append(room) },
		"AppendPacket":            func() { keptBytes, keptErr = wire.AppendPacket(room, extra) },
		"AppendPacket too long":   func() { keptBytes, keptErr = wire.AppendPacket(room, tooLong) },
		"AppendListPort":          func() { keptBytes = wire.AppendListPort(room, 4369) },
		"AppendNameLine":          func() { keptBytes = wire.AppendNameLine(room, longName, 65535) },
		"AppendNameLine of bytes": func() { keptBytes = wire.AppendNameLine(room, name, 65535) },
		"AppendActiveLine":        func() { keptBytes = wire.AppendActiveLine(room, longName, 65535, 1<<60) },
		"AppendOldLine of bytes":  func() { keptBytes = wire.AppendOldLine(room, name, 65535, 1<<60) },
		"AppendKillResp":          func() { keptBytes = wire.AppendKillResp(room, true) },
		"AppendStopResp":          func() { keptBytes = wire.AppendStopResp(room, false) },
	} {
		testNoAllocs(t, what, f)
	}
}

func TestParse3AllocatesNothing(t *testing.T) {
	list, err := wire.AppendTransports(nil, "inet_tls", "inet_tcp", longName[:127])
	assert.NoError(t, err)
	longNode := longNode
	longNode.Transport = "inet_tls"
	of := make([]wire.Transport, wire.MaxTransports)
	blocks := wire.AppendBlocks(nil, 4369)
	dump := wire.AppendBlocks(nil, 4369)
	for i := range 100 {
		of[i%len(of)] = wire.Transport{Name: longName[:i], Port: 7}
		blocks.Name(longName+" at port 5", of)
		dump.Active(longName, of, 7)
		dump.Old(longName, of, 7)
	}
	port3 := longNode.AppendPort3Resp(nil, of)
	alive3 := mustBody(wire.Alive3Req{Name: []byte(longName), Transport: []byte("t"), Extra: []byte(longExtra), Tail: []byte("tail")})
	port3Req := mustBody(wire.PortPlease3Req{Name: []byte(longName), Transports: list, Terminated: true})
	for name, b := range map[string][]byte{
		"ALIVE3_REQ": alive3, "ALIVE3_REQ cut": alive3[:100], "ALIVE3_REQ short": alive3[:13],
		"ALIVE3_REQ with a long transport": append([]byte("X\x00\x01M\xff"), make([]byte, 300)...),
		"PORT_PLEASE3_REQ":                 port3Req, "PORT_PLEASE3_REQ cut": port3Req[:20], "PORT_PLEASE3_REQ short": port3Req[:3],
		"PORT_PLEASE3_REQ with a long transport": append([]byte("Z\x00\x01\x00\xff\xfe"), make([]byte, 300)...),
		"STOP3_REQ":                              append([]byte("S"), longName...),
		"PORT3_RESP":                             port3, "PORT3_RESP cut": port3[:20], "not found": unhex("0002 77 01"),
		"ALIVE3_RESP": unhex("0004 79 00 0003"), "text": unhex("0002 4f4b"), "empty": nil,
		"NAMES3_RESP": blocks.End(), "DUMP3_RESP": dump.End(),
	} {
		testNoAllocs(t, "requests of "+name, func() {
			a, err := wire.ParseAlive3Req(b)
			keptBytes, keptErr = a.Name, err
			p, err := wire.ParsePortPlease3Req(b)
			keptBytes, keptErr = p.Name, err
			keptLen = p.Transports.Len()
			if p.Transports.Has("uds") {
				keptLen++
			}
			s, err := wire.ParseStop3Req(b)
			keptBytes, keptErr = s.Name, err
			n, err := wire.ParseNames3Req(b)
			keptBytes, keptErr = n.Tail, err
			d, err := wire.ParseDump3Req(b)
			keptBytes, keptErr = d.Tail, err
			k, err := wire.ParseKill3Req(b)
			keptBytes, keptErr = k.Tail, err
		})
		testNoAllocs(t, "replies of "+name, func() {
			_, keptLen, keptErr = wire.ParseAlive3Resp(b)
			_, keptLen, keptErr = wire.ParseKill3Resp(b)
			_, keptLen, keptErr = wire.ParseStop3Resp(b)
			r, n, err := wire.ParsePort3Resp(b)
			keptLen, keptErr = n, err
			for _, name := range r.Transports.All() {
				keptBytes = name
			}
		})
		testNoAllocs(t, "blocks of "+name, func() {
			first := true
			for rest := b; ; first = false {
				block, n, err := wire.ParseBlock(rest, first)
				for line, err := range wire.Name3Lines(block.Lines) {
					keptErr = err
					for _, name := range line.Transports.All() {
						keptBytes = name
					}
				}
				for line, err := range wire.Dump3Lines(block.Lines) {
					keptBytes, keptErr = line.Name, err
				}
				if rest = rest[n:]; err != nil || !block.More {
					break
				}
			}
		})
	}
}

func TestAppend3AllocatesNothing(t *testing.T) {
	name, extra := []byte(longName), []byte(longExtra)
	list, err := wire.AppendTransports(nil, "inet_tls", "inet_tcp")
	assert.NoError(t, err)
	of := []wire.Transport{{Name: "inet_tcp", Port: 65535}, {Name: "inet_tls", Port: 1}}
	room := make([]byte, 0, 4*wire.MaxBlockLen)
	for what, f := range map[string]func(){
		"Alive3Req":            func() { keptBytes, keptErr = wire.Alive3Req{Name: name, Extra: extra, Transport: list}.Append(room) },
		"Alive3Req empty":      func() { keptBytes, keptErr = wire.Alive3Req{}.Append(room) },
		"Node.AppendAlive3Req": func() { keptBytes, keptErr = longNode.AppendAlive3Req(room) },
		"Alive3Resp":           func() { keptBytes = wire.Alive3Resp{Extended: true, Creation: 4}.Append(room) },
		"AppendTransports":     func() { keptBytes, keptErr = wire.AppendTransports(room, "inet_tls", "uds") },
		"PortPlease3Req":       func() { keptBytes, keptErr = wire.PortPlease3Req{Name: name, Transports: list}.Append(room) },
		"Node.AppendPort3Resp": func() { keptBytes = longNode.AppendPort3Resp(room, of) },
		"Port3Resp":            func() { keptBytes = wire.Port3Resp{Name: name, Extra: extra}.Append(room) },
		"Names3Req":            func() { keptBytes, keptErr = wire.Names3Req{Tail: extra}.Append(room) },
		"Dump3Req":             func() { keptBytes, keptErr = wire.Dump3Req{Tail: extra}.Append(room) },
		"Kill3Req":             func() { keptBytes, keptErr = wire.Kill3Req{Tail: extra}.Append(room) },
		"Stop3Req":             func() { keptBytes, keptErr = wire.Stop3Req{Name: name}.Append(room) },
		"AppendKill3Resp":      func() { keptBytes = wire.AppendKill3Resp(room, true) },
		"AppendStop3Resp":      func() { keptBytes = wire.AppendStop3Resp(room, false) },
		"AppendOld3Line":       func() { keptBytes = wire.AppendOld3Line(room, name, of, 1<<60) },
		"Blocks": func() {
			l := wire.AppendBlocks(room, 4369)
			for range 20 {
				l.Name(longName, of)
				l.Active(longName, of, 1<<60)
			}
			keptBytes = l.End()
		},
	} {
		testNoAllocs(t, what, f)
	}
}
