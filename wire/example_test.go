package wire_test

import (
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// A node registers: what it sends, and what a daemon reads from it.
func ExampleNode_AppendAlive2Req() {
	node := wire.Node{Name: "foo", Port: 1000, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
	packet, err := node.AppendAlive2Req(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x\n", packet)

	n, err := wire.FirstPacketLen(packet)
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := wire.ParseAlive2Req(packet[wire.HeaderLen:n])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s listens on port %d\n", req.Name, req.Port)
	fmt.Println(req.Node() == node)
	// Output:
	// 00107803e84d00000600050003666f6f0000
	// foo listens on port 1000
	// true
}

// A client reads the answer to its NAMES_REQ, up to where the daemon closed the
// connection.
func ExampleNameLines() {
	answer := []byte("\x00\x00\x11\x11name bar at port 1001\nname foo at port 1000\n")
	port, lines, err := wire.ParseListPort(answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("epmd listens on port", port)
	for line, err := range wire.NameLines(lines) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %d\n", line.Name, line.Port)
	}
	// Output:
	// epmd listens on port 4369
	// bar: 1001
	// foo: 1000
}

// A client reads the answer to its NAMES3_REQ, a list in blocks, each by itself.
func ExampleParseBlock() {
	list := wire.AppendBlocks(nil, 4369)
	list.Name("foo", []wire.Transport{{Name: "inet_tcp", Port: 1000}, {Name: "inet_tls", Port: 1001}})
	list.Name("old", []wire.Transport{{Port: 1002}})
	answer := list.End()

	more := true
	for first := true; more; first = false {
		block, n, err := wire.ParseBlock(answer, first)
		if err != nil {
			fmt.Println(err)
			return
		}
		for line, err := range wire.Name3Lines(block.Lines) {
			if err != nil {
				fmt.Println(err)
				return
			}
			for port, transport := range line.Transports.All() {
				fmt.Printf("%s: %d by %q\n", line.Name, port, transport)
			}
		}
		answer, more = answer[n:], block.More
	}
	// Output:
	// foo: 1000 by "inet_tcp"
	// foo: 1001 by "inet_tls"
	// old: 1002 by ""
}

// A fault can be asked for by itself, and counted.
func ExampleError() {
	_, err := wire.ParsePortPlease2Req([]byte("zf\x00oo"))
	fmt.Println(err)

	var counters [wire.NumFaults]int
	var e *wire.Error
	if errors.As(err, &e) {
		counters[e.Fault]++
		fmt.Println(e.Fault.String(), counters[wire.FaultNUL])
	}
	// Output:
	// PORT_PLEASE2_REQ: name holds a NUL byte
	// nul 1
}
