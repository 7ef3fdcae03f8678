package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
)

func TestReaderThatDoesNotRead(t *testing.T) {
	otptest.Heavy(t)
	const readers = 10
	if rig.InOwnNetwork() {
		require.NoError(t, rig.LoopbackMTU(1500))
		t.Cleanup(func() { require.NoError(t, rig.LoopbackMTU(65536)) })
	}
	experiment(t, "NAMES of 900 long names to 10 clients that do not read", func(x *trial) string {
		x.start(rig.Options{Files: plenty})
		x.hold(1)
		for i := range 900 {
			c, err := x.dial.Register(fmt.Sprintf("%03d-%s", i, strings.Repeat("x", 246)), uint16(i))
			require.NoError(x, err)
			x.Cleanup(c.Close)
		}
		lazy := x.crowd(&rig.Dialer{Port: x.d.Port, Block: 3, Receive: 2048, Patience: patience}, readers,
			func(_ int, c *rig.Conn) { require.NoError(x, c.Send(rig.Names())) })
		if !x.ours {
			a := x.ask(x.hurried(), 1, closed())
			// Only small packets make it bite.
			require.True(x, a.failed > 0 || !rig.InOwnNetwork(), "OTP's epmd used to freeze")
			if a.failed > 0 {
				return "freezes: a lookup by somebody else is not answered within " + short(shortly)
			}
			return a.String()
		}
		a := x.ask(x.dial, 500, closed())
		require.Zero(x, a.failed, "%v", a.first)
		require.Equal(x, readers, open(lazy), "others were answered while they did not read")
		for _, c := range lazy {
			answer, err := c.ReceiveAll()
			require.NoError(x, err)
			list, err := rig.ParseList(answer)
			require.NoError(x, err)
			require.Len(x, list, 901, "who reads at last has all of it")
		}
		return a.String() + "; those who read at last have all of it"
	})
}

func TestSlowSenders(t *testing.T) {
	otptest.Heavy(t)
	const (
		senders = 50
		timeout = 2 * time.Second
	)
	experiment(t, "50 clients that send a byte each 50 ms, packet timeout 2 s", func(x *trial) string {
		x.start(rig.Options{Files: 1024, Args: []string{"-packet_timeout", "2"}})
		x.hold(5)
		request := rig.Port(strings.Repeat("s", 200))
		begun := time.Now() // before any is accepted
		slow := x.crowd(x.dial, senders, nil)
		var cut []time.Duration
		var failed int
		done := make([]bool, senders)
		for i := 0; i < len(request)-1 && len(cut) < senders; i++ {
			for j, c := range slow {
				switch {
				case done[j]:
				case !c.Open() || c.Send(request[i:i+1]) != nil:
					done[j] = true
					cut = append(cut, time.Since(begun))
				}
			}
			failed += x.ask(x.dial, 1, closed()).failed
			time.Sleep(50 * time.Millisecond)
		}
		if !x.ours {
			if len(cut) == 0 {
				return fmt.Sprintf("all are still there after %s: each byte begins the time anew", short(time.Since(begun)))
			}
			return fmt.Sprintf("%d are cut, after %s to %s", len(cut), short(slices.Min(cut)), short(slices.Max(cut)))
		}
		require.Zero(x, failed, "lookups by others")
		require.Len(x, cut, senders, "all are cut before their request is complete")
		require.Greater(x, slices.Min(cut), timeout-100*time.Millisecond, "none before its time")
		x.checkHeld()
		return fmt.Sprintf("all are cut, after %s to %s", short(slices.Min(cut)), short(slices.Max(cut)))
	})
}
