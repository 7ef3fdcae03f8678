package wire_test

import (
	"errors"
	"math/rand"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/wire"
)

// codecs3 are the messages of the multi-transport extension.
func codecs3() []codec {
	port3Req := request(wire.TagPortPlease3Req, randomPortPlease3Req, wire.ParsePortPlease3Req, 10, 1,
		"\x00\x00", "\x00", "\x00\x02", "\x01a", "a")
	port3Req.loose = true // of the byte behind the tag, and the name's length
	port3Resp := reply("PORT3_RESP", randomPort3Resp, func(b []byte, v wire.Port3Resp) []byte { return v.Append(b) }, wire.ParsePort3Resp, 15, 60,
		"\x00\x02w\x01", "\x00\x10w\x00\x00\x00\x00\x00\x00", "\x00", "\x01a")
	port3Resp.loose = true // of two bytes
	return []codec{
		request(wire.TagAlive3Req, randomAlive3Req, wire.ParseAlive3Req, 20, 5,
			"\x00\x01M\x01t\x00\x05\x00\x05\x00\x01a\x00\x00", "\x00", "\x00\x00", "\x00\x01", "\x02", "a"),
		port3Req,
		request(wire.TagNames3Req, func(r *rand.Rand) wire.Names3Req { return wire.Names3Req{Tail: model.Bytes(r, 20)} }, wire.ParseNames3Req, 40, 60, "a"),
		request(wire.TagDump3Req, func(r *rand.Rand) wire.Dump3Req { return wire.Dump3Req{Tail: model.Bytes(r, 20)} }, wire.ParseDump3Req, 40, 60, "a"),
		request(wire.TagKill3Req, func(r *rand.Rand) wire.Kill3Req { return wire.Kill3Req{Tail: model.Bytes(r, 20)} }, wire.ParseKill3Req, 40, 60, "a"),
		request(wire.TagStop3Req, randomStop3Req, wire.ParseStop3Req, 40, 60, "a", "\x00"),
		reply("ALIVE3_RESP", func(r *rand.Rand) wire.Alive3Resp { return wire.Alive3Resp(randomAlive2Resp(r)) },
			func(b []byte, v wire.Alive3Resp) []byte { return v.Append(b) }, wire.ParseAlive3Resp, 20, 20, "\x00\x04y", "\x00\x06v", "\x00", "\x01"),
		port3Resp,
		reply("KILL3_RESP", func(r *rand.Rand) bool { return r.Intn(2) == 0 }, wire.AppendKill3Resp, wire.ParseKill3Resp, 4, 40, "\x00\x02OK", "\x00\x02NO", "O"),
		reply("STOP3_RESP", func(r *rand.Rand) bool { return r.Intn(2) == 0 }, wire.AppendStop3Resp, wire.ParseStop3Resp, 1, 40, "\x00\x07STOPPED", "\x00\x07NOEXIST", "NO"),
		blocks("NAMES3_RESP", func(r *rand.Rand) line3 { return line3{Name: model.Name(r), Transports: randomTransports(r)} },
			func(l *wire.Blocks, v line3) { l.Name(v.Name, v.Transports) },
			func(lines []byte) (all []line3, err error) {
				for l, err := range wire.Name3Lines(lines) {
					if err != nil {
						return nil, err
					}
					all = append(all, line3{Name: string(l.Name), Transports: l.Transports.Transports()})
				}
				return all, nil
			}, 8, 5, "name a at port 5#\n", "name b at port 0#t 6#u\n", "name c at port 05#t\n", "name ", " at port ", "0#", "65536", "\n"),
		blocks("DUMP3_RESP", func(r *rand.Rand) line3 {
			return line3{Active: r.Intn(2) == 0, Name: model.Name(r), Transports: randomTransports(r), FD: r.Uint64() >> r.Intn(64)}
		}, func(l *wire.Blocks, v line3) {
			if v.Active {
				l.Active(v.Name, v.Transports, v.FD)
			} else {
				l.Old(v.Name, v.Transports, v.FD)
			}
		}, func(lines []byte) (all []line3, err error) {
			for l, err := range wire.Dump3Lines(lines) {
				if err != nil {
					return nil, err
				}
				all = append(all, line3{l.Active, string(l.Name), l.Transports.Transports(), l.FD})
			}
			return all, nil
		}, 5, 5, "active name     <a> at port 5#, fd = 7\n", "old/unused name <a> at port 5#t 6#u, fd = 7\n",
			"active name     <", "> at port ", "5#", "5", ", fd = ", "\n"),
	}
}

// line3 is a line of either list.
type line3 struct {
	Active     bool
	Name       string
	Transports []wire.Transport
	FD         uint64
}

// blocks is the codec of a list in blocks. Raw bytes are lines in one block, mostly.
func blocks(name string, random func(*rand.Rand) line3, add func(*wire.Blocks, line3), parse func([]byte) ([]line3, error), mutated, raw int, words ...string) codec {
	return codec{
		name: name,
		random: func(r *rand.Rand) any {
			l := list[line3]{Port: r.Uint32()}
			many := r.Intn(4)
			if r.Intn(20) == 0 {
				many = 80 // several blocks
			}
			for range many {
				l.Lines = append(l.Lines, random(r))
			}
			return l
		},
		append: func(b []byte, v any) ([]byte, error) {
			l := wire.AppendBlocks(b, v.(list[line3]).Port)
			for _, line := range v.(list[line3]).Lines {
				add(&l, line)
			}
			return l.End(), nil
		},
		parse: func(b []byte) (any, int, error) {
			var l list[line3]
			at := 0
			for more := true; more; {
				block, n, err := wire.ParseBlock(b[at:], at == 0)
				if err != nil {
					return nil, 0, err
				}
				lines, err := parse(block.Lines)
				if err != nil {
					return nil, 0, err
				}
				if at == 0 {
					l.Port = block.Port
				}
				l.Lines = append(l.Lines, lines...)
				at, more = at+n, block.More
			}
			return l, at, nil
		},
		more:  func(err error) bool { return errors.Is(err, wire.FaultIncomplete) },
		words: words, framed: true, loose: true, mutated: mutated, raw: raw,
	}
}

func randomTransport(r *rand.Rand) string {
	of := []string{"inet_tcp", "inet6_tcp", "inet_tls", "uds", "", "a#b", "é", strings.Repeat("t", wire.MaxTransportLen)}
	return of[r.Intn(len(of))]
}

func randomTransports(r *rand.Rand) (of []wire.Transport) {
	for range 1 + r.Intn(4) {
		of = append(of, wire.Transport{Name: randomTransport(r), Port: uint16(r.Intn(1 << 16))})
	}
	return of
}

func randomAlive3Req(r *rand.Rand) wire.Alive3Req {
	n := model.Node(r, model.Name(r))
	v := wire.Alive3Req{
		Port: n.Port, Type: n.Type, Transport: []byte(randomTransport(r)), Highest: n.Highest, Lowest: n.Lowest,
		Name: []byte(n.Name), Extra: []byte(n.Extra), Tail: model.Bytes(r, 5),
	}
	if len(v.Transport)+len(v.Name)+len(v.Extra)+len(v.Tail) == 0 {
		v.Tail = []byte{0}
	}
	return v
}

func randomPortPlease3Req(r *rand.Rand) wire.PortPlease3Req {
	v := wire.PortPlease3Req{Name: []byte(model.Name(r)), Terminated: r.Intn(2) == 0}
	if len(v.Name) == 0 {
		v.Name = []byte("a")
	}
	for range r.Intn(4) {
		var err error
		if v.Transports, err = wire.AppendTransports(v.Transports, randomTransport(r)); err != nil {
			panic(err) // a test's own mistake
		}
	}
	return v
}

func randomStop3Req(r *rand.Rand) wire.Stop3Req {
	v := wire.Stop3Req{Name: []byte(model.Name(r))}
	if r.Intn(2) == 0 {
		v.Tail = append([]byte{0}, model.Bytes(r, 5)...)
	}
	return v
}

func randomPort3Resp(r *rand.Rand) wire.Port3Resp {
	if r.Intn(4) == 0 {
		return wire.Port3Resp{Result: 1 + byte(r.Intn(255))}
	}
	n := model.Node(r, model.Name(r))
	resp, _, err := wire.ParsePort3Resp(n.AppendPort3Resp(nil, randomTransports(r)[r.Intn(2):]))
	if err != nil {
		panic(err) // it was just made
	}
	return resp
}

// framedBytes puts what is in front into one block, the last one.
func framedBytes(b []byte) []byte {
	b = slices.Concat([]byte{0, 0, 0, 0, 0x11, 0x11}, b)[1:]
	return packet(b)
}
