package bench

import "time"

// A Figure is a value of both sides and its gain. Gains are taken pair by pair, and
// above 1 it is A that is better.
type Figure struct {
	A    Spread `json:"a"`
	B    Spread `json:"b"`
	Gain Spread `json:"gain"`
}

// A Summary is what the pairs of a cell say together. Times are in microseconds.
type Summary struct {
	CPU  Figure `json:"server_cpu_us_per_op"`
	Rate Figure `json:"ops_per_second"`
	P50  Figure `json:"p50_us"`
	P99  Figure `json:"p99_us"`
	P999 Figure `json:"p999_us"`
	// ClientCPU is of the load program; it has no gain.
	ClientCPU Figure `json:"client_cpu_us_per_op"`
	// Others is the share of the machine that neither side nor the load program took.
	Others Spread `json:"others"`
	// FailedA and FailedB are failed operations.
	FailedA int `json:"failed_a"`
	FailedB int `json:"failed_b"`
	// NodeBytes and the rest are of the mode idle.
	NodeBytes Figure `json:"bytes_per_node"`
	AfterKiB  Figure `json:"kib_left_over"`
	FirstRate Figure `json:"first_registrations_per_second"`
	LastRate  Figure `json:"last_registrations_per_second"`
	FillCPU   Figure `json:"server_cpu_us_per_registration"`
	GoneMS    Figure `json:"gone_ms"`
}

// Summary sums a cell up.
func (c Cell) Summary() Summary {
	load := func(f func(*Load) float64) func(Side) (float64, bool) {
		return func(s Side) (float64, bool) {
			if s.Load == nil || s.Load.Ops == 0 {
				return 0, false
			}
			return f(s.Load), true
		}
	}
	perOp := func(d time.Duration, l *Load) float64 { return micros(d) / float64(l.Ops) }
	s := Summary{
		CPU:       c.less(load(func(l *Load) float64 { return perOp(l.ServerCPU, l) })),
		Rate:      c.more(load(func(l *Load) float64 { return float64(l.Ops) / l.Took.Seconds() })),
		P50:       c.less(load(func(l *Load) float64 { return micros(l.P50) })),
		P99:       c.less(load(func(l *Load) float64 { return micros(l.P99) })),
		P999:      c.less(load(func(l *Load) float64 { return micros(l.P999) })),
		ClientCPU: c.less(load(func(l *Load) float64 { return perOp(l.ClientCPU, l) })),
	}
	s.ClientCPU.Gain = Spread{}
	var others []float64
	for _, p := range c.Pairs {
		if p.A.Load != nil {
			others = append(others, p.A.Load.Others)
			s.FailedA += p.A.Load.FailedOps()
		}
		if p.B.Load != nil {
			others = append(others, p.B.Load.Others)
			s.FailedB += p.B.Load.FailedOps()
		}
	}
	s.Others = NewSpread(others)

	idle := func(f func(*IdleRun, float64) (float64, bool)) func(Side) (float64, bool) {
		return func(s Side) (float64, bool) {
			if s.Idle == nil || s.Held == 0 {
				return 0, false
			}
			return f(s.Idle, float64(s.Held))
		}
	}
	s.NodeBytes = c.less(idle(func(r *IdleRun, n float64) (float64, bool) { return float64(r.Full-r.Empty) / n, true }))
	s.AfterKiB = c.less(idle(func(r *IdleRun, _ float64) (float64, bool) { return float64(r.After-r.Empty) / 1024, true }))
	s.FirstRate = c.more(idle(func(r *IdleRun, _ float64) (float64, bool) { return r.FirstRate, true }))
	s.LastRate = c.more(idle(func(r *IdleRun, _ float64) (float64, bool) { return r.LastRate, true }))
	s.FillCPU = c.less(idle(func(r *IdleRun, n float64) (float64, bool) { return micros(r.FillCPU) / n, true }))
	s.GoneMS = c.less(idle(func(r *IdleRun, _ float64) (float64, bool) { return micros(r.Gone) / 1000, r.Gone >= 0 }))
	return s
}

// less is a figure of which less is better, more one of which more is.
func (c Cell) less(f func(Side) (float64, bool)) Figure {
	out := c.more(f)
	out.Gain = NewSpread(ratios(c.Pairs, ofB(f), ofA(f)))
	return out
}

func (c Cell) more(f func(Side) (float64, bool)) Figure {
	a, b := ofA(f), ofB(f)
	return Figure{A: NewSpread(c.values(a)), B: NewSpread(c.values(b)), Gain: NewSpread(ratios(c.Pairs, a, b))}
}

func ofA(f func(Side) (float64, bool)) func(Pair) (float64, bool) {
	return func(p Pair) (float64, bool) { return f(p.A) }
}

func ofB(f func(Side) (float64, bool)) func(Pair) (float64, bool) {
	return func(p Pair) (float64, bool) { return f(p.B) }
}

func (c Cell) values(f func(Pair) (float64, bool)) []float64 {
	var all []float64
	for _, p := range c.Pairs {
		if v, ok := f(p); ok {
			all = append(all, v)
		}
	}
	return all
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
