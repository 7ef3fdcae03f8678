package conformance

import (
	"fmt"
	"time"
)

// A machine that has too much to do is late: who plays sends late, and a daemon reads late.
// A daemon then closes a connection for the time-out of the scenario, or answers after its
// delay, and rightly, where the scenario means something else to come before. So the runner
// measures beside each scenario with a time-out or a delay how late the machine is, and a
// failure while it was late says nothing.

// lateBy is the share of a time-out by which the machine may be late at once: a scenario has
// several moments in which it can be, and leaves a quarter of the time-out or more for all.
const lateBy = 8

// lateTries is how often such a scenario is played until the machine is in time.
const lateTries = 5

// watchMachine measures how late the machine is, by how much a short sleep is too long, until
// it is asked for the most.
func watchMachine() (late func() time.Duration) {
	const nap = 5 * time.Millisecond
	stop, most := make(chan struct{}), make(chan time.Duration)
	go func() {
		worst := time.Duration(0)
		for {
			begun := time.Now()
			select {
			case <-stop:
				most <- worst
				return
			case <-time.After(nap):
				worst = max(worst, time.Since(begun)-nap)
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-most
	}
}

// inTime plays until the machine was in time for a time-out, or nothing failed or broke: a
// lookup of the suite's own that comes late is closed too. After some tries the result is
// that the machine is too busy. Zero is no time-out.
func inTime(timeout time.Duration, watch func() (late func() time.Duration), play func() Result) Result {
	if timeout == 0 {
		return play()
	}
	for try := 1; ; try++ {
		late := watch()
		res := play()
		by := late()
		switch {
		case res.Verdict != Failed && res.Verdict != Broken || by < timeout/lateBy:
			return res
		case try == lateTries:
			res.Verdict = Broken
			res.Reason = fmt.Sprintf("the machine was %v late, too much for a time-out of %v: play it when less runs beside it",
				by.Round(time.Millisecond), timeout)
			return res
		}
	}
}
