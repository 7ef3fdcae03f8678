package bench

import (
	"errors"
	"time"
)

// A reading is all the accounts at one moment.
type reading struct {
	at                     time.Time
	server, own, busy, all time.Duration
}

func (d *daemon) read() (reading, error) {
	r := reading{at: time.Now()}
	var errs [3]error
	r.server, errs[0] = d.CPU()
	r.own, errs[1] = ownCPU()
	r.busy, r.all, errs[2] = machineBusy()
	return r, errors.Join(errs[:]...)
}

// account fills in what passed between two readings.
func (l *Load) account(from, to reading) {
	l.Took = to.at.Sub(from.at)
	l.ServerCPU = to.server - from.server
	l.ClientCPU = to.own - from.own
	if all := to.all - from.all; all > 0 {
		others := (to.busy - from.busy) - l.ServerCPU - l.ClientCPU
		// The machine is counted in ticks, so that a little may be below nothing.
		l.Others = min(max(float64(others)/float64(all), 0), 1)
	}
}
