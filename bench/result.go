package bench

import "time"

// A Report is all that was measured, nothing left out.
type Report struct {
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took_ns"`
	Plan    Plan          `json:"plan"`
	Machine Machine       `json:"machine"`
	Cells   []Cell        `json:"cells"`
}

// A Machine is where it was measured.
type Machine struct {
	Kernel string `json:"kernel"`
	CPUs   int    `json:"cpus"`
	// OwnNetwork says that it ran in a network namespace made for it.
	OwnNetwork bool `json:"own_network"`
	// Tracked is the most connections that the kernel's connection tracking
	// knew of; -1 where there is no such thing. Above 0 it cost CPU on both sides.
	Tracked int `json:"tracked"`
	// LoadBefore and LoadAfter are the load averages of one minute.
	LoadBefore float64 `json:"load_before"`
	LoadAfter  float64 `json:"load_after"`
}

// A Cell is one mode at one number of nodes.
type Cell struct {
	Mode  Mode   `json:"mode"`
	Nodes int    `json:"nodes"`
	Pairs []Pair `json:"pairs"`
}

// A Pair is both programs, measured one right after the other.
type Pair struct {
	First string `json:"first"` // "A" or "B"
	A     Side   `json:"a"`
	B     Side   `json:"b"`
}

// A Side is one program, started for this, measured once.
type Side struct {
	// Held is how many nodes were registered. If it is less than what the cell
	// asks for, Stopped says what happened to the next one, and there is no load.
	Held    int    `json:"held"`
	Stopped string `json:"stopped,omitempty"`
	// Died says how the daemon ended by itself.
	Died string   `json:"died,omitempty"`
	Load *Load    `json:"load,omitempty"`
	Idle *IdleRun `json:"idle,omitempty"`
}

// A Load is what clients did and what it cost.
type Load struct {
	Took      time.Duration  `json:"took_ns"`
	Ops       int            `json:"ops"`              // that succeeded
	Failed    map[string]int `json:"failed,omitempty"` // by what happened
	ServerCPU time.Duration  `json:"server_cpu_ns"`
	ClientCPU time.Duration  `json:"client_cpu_ns"` // of the load program
	// Others is the share of the machine that was taken by neither, from 0 to 1.
	Others float64       `json:"others"`
	P50    time.Duration `json:"p50_ns"`
	P99    time.Duration `json:"p99_ns"`
	P999   time.Duration `json:"p999_ns"`
}

// FailedOps is how many operations failed, of whatever kind.
func (l *Load) FailedOps() int {
	n := 0
	for _, k := range l.Failed {
		n += k
	}
	return n
}

// An IdleRun is the life of many registrations that do nothing. Memory is resident
// memory of the process, in bytes; what the kernel keeps for its sockets is not in it.
type IdleRun struct {
	Empty int64 `json:"empty"` // before the first, after a few requests
	Full  int64 `json:"full"`  // with all of them held
	After int64 `json:"after"` // when all are gone
	// FillTook and FillCPU are what it took to register them all.
	FillTook time.Duration `json:"fill_took_ns"`
	FillCPU  time.Duration `json:"fill_cpu_ns"`
	// FirstRate and LastRate are the registrations per second in the first and the
	// last tenth of them.
	FirstRate float64 `json:"first_rate"`
	LastRate  float64 `json:"last_rate"`
	// RestCPU is what holding them took, and RestTook how long that was.
	RestCPU  time.Duration `json:"rest_cpu_ns"`
	RestTook time.Duration `json:"rest_took_ns"`
	// Lost is how many were no longer in the list while their connections stood; -1 if
	// the list could not be had.
	Lost int `json:"lost"`
	// Gone is the time from the first close of the mass disconnect to an empty list;
	// negative if it was not empty within GoneWithin.
	Gone time.Duration `json:"gone_ns"`
}

// GoneWithin is how long nodes may take to be gone from the list.
const GoneWithin = time.Minute
