package testbed

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// Ports of daemons under test: above what services use, and below what the system
// gives to clients, so that no connection of anybody takes one in between.
const (
	lowestPort   = 20001
	portsOfBlock = 400
	portBlocks   = 30 // up to 32000
	// portRest is how long a port is not given again: a scenario may go on after its
	// daemon has ended, and must not meet that of another.
	portRest = 30 * time.Second
)

// ports are those that this program uses: blocks of its own, so that no other program
// of this kind takes one in the moment between finding it free and using it.
var ports struct {
	sync.Mutex
	blocks []net.Listener // hold the names of the blocks until the program ends
	queue  []lent         // the one that was given longest ago is the first
}

// lent is a port, and when it was given last.
type lent struct {
	port uint16
	at   time.Time
}

// FreePort gives a port that nobody listens on at any address, and that it has not given
// lately.
func FreePort() (uint16, error) {
	ports.Lock()
	defer ports.Unlock()
	if len(ports.queue) == 0 || time.Since(ports.queue[0].at) < portRest {
		claim()
	}
	for range ports.queue {
		port := ports.queue[0].port
		ports.queue = append(ports.queue[1:], lent{port, time.Now()})
		if isFree(port) {
			return port, nil
		}
	}
	return 0, errors.New("no free port")
}

// claim takes one more block that no other program has. An abstract Unix socket stands
// for it, which is gone with its program. Where there is no such thing, or no block is
// left, the process id chooses the first.
func claim() {
	begin := os.Getpid() % portBlocks
	for i := range portBlocks {
		block := (begin + i) % portBlocks
		ln, err := net.Listen("unix", "@goepmd-ports-"+strconv.Itoa(block))
		if err == nil {
			ports.blocks = append(ports.blocks, ln)
			add(block)
			return
		}
	}
	if len(ports.queue) == 0 {
		add(begin)
	}
}

// add puts the ports of a block in front.
func add(block int) {
	fresh := make([]lent, portsOfBlock, portsOfBlock+len(ports.queue))
	for i := range fresh {
		fresh[i].port = uint16(lowestPort + block*portsOfBlock + i)
	}
	ports.queue = append(fresh, ports.queue...)
}
