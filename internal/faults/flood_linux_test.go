package faults_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
)

func TestFloodFromOneAddress(t *testing.T) {
	otptest.Heavy(t)
	each := 5000
	if !rig.InOwnNetwork() {
		each = 500
	}
	const floods = 4
	experiment(t, "4 clients at one address that connect and leave without pause", func(x *trial) string {
		x.start(rig.Options{Files: 1024})
		x.hold(5)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var made atomic.Int64
		begun := time.Now()
		for i := range floods {
			wg.Go(func() {
				d := &rig.Dialer{Port: x.d.Port, From: [4]byte{127, 9, 9, 9}, Patience: patience}
				for j := range each {
					c, err := d.Dial()
					if err != nil {
						continue // a flood does not care
					}
					made.Add(1)
					if (i+j)%2 == 0 {
						_ = c.Send(rig.Port("nobody")) // nor does it wait for an answer
					}
					c.Reset()
				}
			})
		}
		go func() {
			wg.Wait()
			close(stop)
		}()
		a := x.ask(x.dial, 1, stop)
		took := time.Since(begun)
		if x.ours {
			require.NotEmpty(x, a.times, "%v", a.first)
			// One that has not sent its request yet may have to go for newcomers, and is
			// served when it comes again.
			require.Less(x, a.failed, max(len(a.times), 10), "most are served: %v", a.first)
			require.Empty(x, x.d.Died())
			x.checkHeld()
			x.awaitOnlyHeld()
		}
		return fmt.Sprintf("%.0f connections/s; another's %v", float64(made.Load())/took.Seconds(), a)
	})
}

func TestGreedyStranger(t *testing.T) {
	otptest.Heavy(t)
	if !rig.InOwnNetwork() {
		t.Skip("SKIPPED: a network of its own is needed for addresses that are not local; run it as root")
	}
	require.NoError(t, rig.RemoteNetwork())
	experiment(t, "1100 idle connections from one remote address, file limit 1024", func(x *trial) string {
		x.start(rig.Options{Files: 1024})
		x.hold(5)
		here := [4]byte{10, 0, 0, 1}
		crowd := x.crowd(&rig.Dialer{Port: x.d.Port, To: here, From: [4]byte{10, 0, 0, 2}, Patience: shortly}, 1100, nil)
		if !x.ours {
			dead := x.dead()
			if dead == "" {
				return "the daemon lives; another stranger's " +
					x.ask(&rig.Dialer{Port: x.d.Port, To: here, From: [4]byte{10, 0, 0, 3}, Patience: shortly}, 1, closed()).String()
			}
			return dead + "; all nodes are lost"
		}
		a := x.ask(&rig.Dialer{Port: x.d.Port, To: here, From: [4]byte{10, 0, 0, 3}, Patience: patience}, 100, closed())
		require.Zero(x, a.failed, "%v", a.first)
		late, err := x.dial.Register("late", 1)
		require.NoError(x, err)
		late.Close()
		x.checkHeld()
		// Those above its share were closed without a word.
		require.Eventually(x, func() bool { return open(crowd) <= 1024/4 }, patience, 20*time.Millisecond)
		left := open(crowd)
		require.NotZero(x, left, "its share is left to it")
		return fmt.Sprintf("it has %d; nobody is lost, another stranger's %v", left, a)
	})
}
