package wire_test

import (
	"testing"

	"github.com/goepmd/goepmd/wire"
)

var benchNode = wire.Node{Name: "atrixie", Port: 0x99e9, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}

func BenchmarkPacketLen(b *testing.B) {
	packet := unhex("0008 7a 61747269786965")
	b.ReportAllocs()
	for b.Loop() {
		keptLen, keptErr = wire.FirstPacketLen(packet)
	}
}

func BenchmarkParseAlive2Req(b *testing.B) {
	body := unhex("78 99e9 4d 00 0006 0005 0007 61747269786965 0000")
	b.ReportAllocs()
	for b.Loop() {
		r, err := wire.ParseAlive2Req(body)
		keptBytes, keptErr = r.Name, err
	}
}

func BenchmarkAppendAlive2Req(b *testing.B) {
	room := make([]byte, 0, wire.MaxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes, keptErr = benchNode.AppendAlive2Req(room)
	}
}

func BenchmarkParseAlive2Resp(b *testing.B) {
	reply := unhex("76 00 66554433")
	b.ReportAllocs()
	for b.Loop() {
		_, keptLen, keptErr = wire.ParseAlive2Resp(reply)
	}
}

func BenchmarkAppendAlive2Resp(b *testing.B) {
	room := make([]byte, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes = wire.Alive2Resp{Extended: true, Creation: 0x66554433}.Append(room)
	}
}

func BenchmarkParsePortPlease2Req(b *testing.B) {
	body := []byte("zatrixie")
	b.ReportAllocs()
	for b.Loop() {
		r, err := wire.ParsePortPlease2Req(body)
		keptBytes, keptErr = r.Name, err
	}
}

func BenchmarkAppendPortPlease2Req(b *testing.B) {
	name := []byte("atrixie")
	room := make([]byte, 0, wire.MaxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes, keptErr = wire.PortPlease2Req{Name: name}.Append(room)
	}
}

func BenchmarkParsePort2Resp(b *testing.B) {
	reply := benchNode.AppendPort2Resp(nil)
	b.ReportAllocs()
	for b.Loop() {
		r, n, err := wire.ParsePort2Resp(reply)
		keptBytes, keptLen, keptErr = r.Name, n, err
	}
}

func BenchmarkAppendPort2Resp(b *testing.B) {
	room := make([]byte, 0, wire.MaxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes = benchNode.AppendPort2Resp(room)
	}
}

func BenchmarkNameLines(b *testing.B) {
	var lines []byte
	for range 1000 {
		lines = wire.AppendNameLine(lines, "atrixie", 0x99e9)
	}
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	for b.Loop() {
		for line, err := range wire.NameLines(lines) {
			keptBytes, keptErr = line.Name, err
		}
	}
}

func BenchmarkAppendNameLine(b *testing.B) {
	room := make([]byte, 0, wire.MaxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes = wire.AppendNameLine(room, "atrixie", 0x99e9)
	}
}

func BenchmarkAppendPacket(b *testing.B) {
	body := []byte("zatrixie")
	room := make([]byte, 0, wire.MaxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes, keptErr = wire.AppendPacket(room, body)
	}
}

func BenchmarkBodyTag(b *testing.B) {
	body := []byte("zatrixie")
	b.ReportAllocs()
	for b.Loop() {
		_, keptErr = wire.BodyTag(body)
	}
}

func BenchmarkParseNamesReq(b *testing.B) {
	body := []byte("n")
	b.ReportAllocs()
	for b.Loop() {
		r, err := wire.ParseNamesReq(body)
		keptBytes, keptErr = r.Tail, err
	}
}

func BenchmarkAppendNamesReq(b *testing.B) {
	room := make([]byte, 0, wire.MaxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes, keptErr = wire.NamesReq{}.Append(room)
	}
}

func BenchmarkParseStopReq(b *testing.B) {
	body := []byte("satrixie")
	b.ReportAllocs()
	for b.Loop() {
		r, err := wire.ParseStopReq(body)
		keptBytes, keptErr = r.Name, err
	}
}

func BenchmarkDumpLines(b *testing.B) {
	var lines []byte
	for i := range 1000 {
		lines = wire.AppendActiveLine(lines, "atrixie", 0x99e9, uint64(i))
	}
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	for b.Loop() {
		for line, err := range wire.DumpLines(lines) {
			keptBytes, keptErr = line.Name, err
		}
	}
}

func BenchmarkAppendActiveLine(b *testing.B) {
	room := make([]byte, 0, wire.MaxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		keptBytes = wire.AppendActiveLine(room, "atrixie", 0x99e9, 7)
	}
}
