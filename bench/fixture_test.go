package bench

import "time"

// fixture is a report with all that can be in one.
func fixture() Report {
	load := func(cpu, p99 time.Duration, failed int) Side {
		l := &Load{
			Took: time.Second, Ops: 1000, ServerCPU: 1000 * cpu, ClientCPU: 20 * time.Millisecond, Others: 0.25,
			P50: 40 * time.Microsecond, P99: p99, P999: 2 * p99,
		}
		if failed > 0 {
			l.Failed = map[string]int{"wrong answer": failed}
		}
		return Side{Held: 10, Load: l}
	}
	idle := func(bytes int64) Side {
		return Side{Held: 1000, Idle: &IdleRun{
			Empty: 4 << 20, Full: 4<<20 + 1000*bytes, After: 4<<20 + 2048, FillTook: time.Second, FillCPU: 20 * time.Millisecond,
			FirstRate: 9000, LastRate: 8000, RestCPU: 5 * time.Millisecond, RestTook: time.Second, Gone: 30 * time.Millisecond,
		}}
	}
	us := time.Microsecond
	full := idle(5120)
	full.Held, full.Stopped, full.Idle.Lost, full.Idle.Gone = 900, "closed", 3, -1
	return Report{
		Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 90 * time.Second,
		Plan: Plan{
			A: Program{Name: "ours", Path: "./epmd"}, B: Program{Name: "<theirs>", Path: "/usr/bin/epmd", Args: []string{"-d"}},
			Modes: []Mode{Lookup, Names, Idle}, Nodes: []int{10, 1000}, Pairs: 3, Time: time.Second, Clients: 16,
		},
		Machine: Machine{Kernel: "Linux 6.18", CPUs: 2, OwnNetwork: true, LoadBefore: 0.5, LoadAfter: 1.5},
		Cells: []Cell{
			{Mode: Lookup, Nodes: 10, Pairs: []Pair{
				{"A", load(10*us, 100*us, 0), load(12*us, 90*us, 0)},
				{"B", load(20*us, 100*us, 0), load(30*us, 200*us, 2)},
				{"A", load(10*us, 100*us, 0), load(20*us, 150*us, 0)},
			}},
			{Mode: Names, Nodes: 1000, Pairs: []Pair{
				{"A", load(10*us, 100*us, 0), Side{Held: 64, Stopped: "connection reset by peer", Died: "exit status 1"}},
			}},
			{Mode: Idle, Nodes: 1000, Pairs: []Pair{{"A", idle(512), idle(5120)}, {"B", idle(256), full}}},
		},
	}
}
