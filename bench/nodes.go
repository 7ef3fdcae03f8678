package bench

import (
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// nodes are those that are registered and stay, with what is sent for them and must
// come back, made once so that clients only compare.
type nodes struct {
	all []node
}

type node struct {
	name     string
	register []byte // ALIVE2_REQ
	lookup   []byte // PORT_PLEASE2_REQ
	found    []byte // the answer to it
}

func newNodes(n int) *nodes {
	s := &nodes{all: make([]node, n)}
	for i := range s.all {
		s.all[i] = newNode(fmt.Sprintf("node%05d", i), uint16(20001+i%40000))
	}
	return s
}

// newNode is a node as OTP's register: the same type, protocol and versions.
func newNode(name string, port uint16) node {
	n := wire.Node{Name: name, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
	register, err := n.AppendAlive2Req(nil)
	if err != nil {
		panic(err) // the names are short and have no NUL
	}
	lookup, err := wire.PortPlease2Req{Name: []byte(name)}.Append(nil)
	if err != nil {
		panic(err)
	}
	return node{name: name, register: register, lookup: lookup, found: n.AppendPort2Resp(nil)}
}

// checkList says what is wrong with an answer to NAMES_REQ that must list these nodes
// once each, in any order, and nobody else; missing is how many of them it lacks.
func checkList(answer []byte, held []*node) (missing int, err error) {
	_, lines, err := wire.ParseListPort(answer)
	if err != nil {
		return len(held), err
	}
	want := make(map[string]bool, len(held))
	for _, n := range held {
		want[n.name] = true
	}
	for line, err := range wire.NameLines(lines) {
		if err != nil {
			return len(want), err
		}
		if !want[string(line.Name)] {
			return len(want), fmt.Errorf("%q is listed, which is not registered or listed already", line.Name)
		}
		delete(want, string(line.Name))
	}
	return len(want), nil
}
