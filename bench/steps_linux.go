package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/wire"
)

// steps are what one client does: do is one operation, end closes what is left open.
type steps struct {
	do  func() error
	end func()
}

func nothingLeft() {}

// newSteps gives each client its own.
func newSteps(m Mode, d *daemon, set *nodes, held *parked, clients int) ([]steps, error) {
	list, err := d.list(len(set.all))
	if err != nil {
		return nil, err
	}
	if missing, err := checkList(list, held.nodes); err != nil || missing > 0 {
		return nil, fmt.Errorf("the list of names lacks %d nodes: %w", missing, orWrong(err))
	}
	all := make([]steps, clients)
	for i := range all {
		dial := newDialer(d.Port, byte(loadBlock+i))
		// Both sides of all pairs look up the same names in the same order.
		random := rand.New(rand.NewPCG(1, uint64(i)))
		switch m {
		case Lookup:
			all[i] = steps{lookups(dial, set, random), nothingLeft}
		case Names:
			all[i], err = names(dial, list)
		case Register:
			all[i] = registers(dial, newNames(i))
		case Restart:
			all[i] = registers(dial, inTurn(clientNodes(i)))
		case Churn:
			all[i] = churn(dial, set, random, i)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func orWrong(err error) error {
	if err == nil {
		return errWrong
	}
	return err
}

// same says whether an answer is what it must be.
func same(answer, want []byte, err error) error {
	switch {
	case err != nil:
		return err
	case bytes.Equal(answer, want):
		return nil
	case len(answer) < len(want):
		return errShort
	}
	return errWrong
}

func lookups(dial *dialer, set *nodes, random *rand.Rand) func() error {
	room := make([]byte, wire.MaxPacketLen)
	return func() error {
		n := &set.all[random.IntN(len(set.all))]
		answer, err := dial.ask(n.lookup, room[:len(n.found)+1])
		return same(answer, n.found, err)
	}
}

func names(dial *dialer, list []byte) (steps, error) {
	request, err := wire.NamesReq{}.Append(nil)
	room := make([]byte, len(list)+1)
	return steps{func() error {
		answer, err := dial.ask(request, room)
		return same(answer, list, err)
	}, nothingLeft}, err
}

// namesOfClient is how many names a client takes in turn, so that one is free again
// long before it is taken again.
const namesOfClient = 8

func clientNodes(client int) []node {
	all := make([]node, namesOfClient)
	for i := range all {
		all[i] = newNode(fmt.Sprintf("come%02dgo%d", client, i), uint16(9000+client))
	}
	return all
}

// inTurn gives the requests of nodes that come back.
func inTurn(nodes []node) func() []byte {
	next := 0
	return func() []byte {
		next = (next + 1) % len(nodes)
		return nodes[next].register
	}
}

// newNames gives requests with a name that no client has given before: one request,
// whose name's digits are counted on, so that making it costs the machine nothing.
func newNames(client int) func() []byte {
	name := fmt.Sprintf("tool%02dof%09d", client, 0)
	request := newNode(name, uint16(9000+client)).register
	digits := request[bytes.Index(request, []byte(name))+len(name)-9:][:9]
	return func() []byte {
		for i := len(digits) - 1; i >= 0; i-- {
			if digits[i]++; digits[i] <= '9' {
				break
			}
			digits[i] = '0'
		}
		return request
	}
}

func registers(dial *dialer, next func() []byte) steps {
	return steps{func() error {
		fd, err := dial.registration(next())
		if err != nil {
			return err
		}
		return unix.Close(fd)
	}, nothingLeft}
}

// heldByClient is how many registrations a client of the mode churn holds at a time;
// lookupsPerChurn is how many lookups it makes to each that comes and goes.
const (
	heldByClient    = namesOfClient / 2
	lookupsPerChurn = 3
)

func churn(dial *dialer, set *nodes, random *rand.Rand, client int) steps {
	lookup := lookups(dial, set, random)
	mine, count := clientNodes(client), 0
	var held []int
	end := func() {
		for _, fd := range held {
			_ = unix.Close(fd) // nothing was left to send
		}
	}
	return steps{func() error {
		count++
		if count%(lookupsPerChurn+1) != 0 {
			return lookup()
		}
		if len(held) == heldByClient {
			if err := unix.Close(held[0]); err != nil {
				return err
			}
			held = append(held[:0], held[1:]...)
		}
		n := &mine[count/(lookupsPerChurn+1)%len(mine)]
		fd, err := dial.registration(n.register)
		if err == nil {
			held = append(held, fd)
		}
		return err
	}, end}
}
