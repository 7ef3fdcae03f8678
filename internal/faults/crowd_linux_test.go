package faults_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
)

// nodes registers nodes, each on a connection that the end of the test closes, until one
// is not registered.
func (x *trial) nodes(n int) []*rig.Conn {
	var held []*rig.Conn
	for i := range n {
		c, err := x.dial.Register(fmt.Sprintf("node-%d", i), uint16(i))
		if err != nil {
			break
		}
		x.Cleanup(c.Close)
		held = append(held, c)
	}
	return held
}

func TestThreeThousandNodes(t *testing.T) {
	otptest.Heavy(t)
	const n = 3000
	experiment(t, "3000 nodes, file limit 20000", func(x *trial) string {
		x.start(rig.Options{Files: plenty})
		held := x.nodes(n)
		begun := time.Now()
		port, found, err := x.hurried().Lookup("node-7")
		took := time.Since(begun)
		if !x.ours {
			require.Less(x, len(held), n, "OTP's epmd used to be full before")
			if err != nil {
				return fmt.Sprintf("%d register; then every lookup is cut off (%v)", len(held), err)
			}
			return fmt.Sprintf("%d register; a lookup takes %s", len(held), short(took))
		}
		require.Len(x, held, n)
		require.NoError(x, err)
		require.True(x, found)
		require.Equal(x, uint16(7), port)
		list, err := x.dial.List()
		require.NoError(x, err)
		require.Len(x, list, n)
		require.Equal(x, n, open(held))
		return fmt.Sprintf("all register; a lookup takes %s", short(took))
	})
}

func TestFewFilesManyIdle(t *testing.T) {
	otptest.Heavy(t)
	experiment(t, "10 nodes and 100 idle connections, file limit 64", func(x *trial) string {
		x.start(rig.Options{Files: 64})
		x.hold(10)
		idle := x.crowd(x.dial, 100, nil)
		if !x.ours {
			if dead := x.dead(); dead != "" {
				return dead + "; all 10 are lost"
			}
			_, _, err := x.hurried().Lookup("node-0")
			require.Error(x, err, "OTP's epmd used to end by this, or to answer nobody")
			return "it lives, and answers nobody"
		}
		x.checkHeld()
		late, err := x.dial.Register("late", 1)
		require.NoError(x, err, "while the idle ones are there")
		late.Close()
		left := open(idle)
		a := x.ask(x.dial, 50, closed())
		require.Zero(x, a.failed, "%v", a.first)
		share := x.share(func() { time.Sleep(time.Second) })
		require.Less(x, share, 0.5, "CPU time per second while nothing happens")
		for _, c := range idle {
			c.Close()
		}
		x.awaitOnlyHeld()
		x.checkHeld()
		require.Len(x, x.nodes(5), 5, "service as before")
		return fmt.Sprintf("nobody is lost; %d idle ones are kept, and others served meanwhile: %v; %.0f %% of a CPU", left, a, 100*share)
	})
}

func TestMoreNodesThanFiles(t *testing.T) {
	otptest.Heavy(t)
	const n = 1100
	experiment(t, "1100 nodes, file limit 1024", func(x *trial) string {
		x.start(rig.Options{Files: 1024})
		held := x.nodes(n)
		if !x.ours {
			require.Less(x, len(held), n, "more nodes than files")
			if dead := x.dead(); dead != "" {
				return fmt.Sprintf("%d register, then %s; all are lost", len(held), dead)
			}
		} else {
			require.Greater(x, len(held), 900, "what fits")
			require.Less(x, len(held), n)
		}
		// The rest comes again and again, and others ask.
		d := x.hurried()
		tries, answered := 0, 0
		logged := x.d.Logged()
		share := x.share(func() {
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
				tries++
				if c, err := d.Register(fmt.Sprintf("more-%d", tries), 1); err == nil {
					c.Close()
				}
				if _, found, err := d.Lookup("node-0"); err == nil && found {
					answered++
				}
			}
		})
		log := float64(x.d.Logged()-logged) / 2000
		told := fmt.Sprintf("%d register, the rest is refused; %d of %d lookups answered meanwhile, at %.0f %% of a CPU and %.1f kB/s of log",
			len(held), answered, tries, 100*share, log)
		if !x.ours {
			return told
		}
		require.Less(x, share, 0.8, "CPU time per second")
		require.Greater(x, answered, tries/2, "places are left for requests")
		require.Empty(x, x.d.Died())
		require.Equal(x, len(held), open(held), "nobody is lost")
		for _, c := range held[:5] {
			c.Close()
		}
		require.Eventually(x, func() bool {
			port, found, err := x.dial.Lookup("node-7")
			return err == nil && found && port == 7
		}, patience, 10*time.Millisecond, "there is room for lookups again")
		list, err := x.dial.List()
		require.NoError(x, err)
		require.Len(x, list, len(held)-5, "nobody is lost")
		return told + "; nobody is lost, and service is back as soon as 5 have gone"
	})
}

func TestSilentConnections(t *testing.T) {
	otptest.Heavy(t)
	for _, files := range []int{plenty, 1024} {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			experiment(t, fmt.Sprintf("1100 connections that send nothing, file limit %d", files), func(x *trial) string {
				return crowdedOut(x, files, nil)
			})
		})
	}
}

func TestTakenName(t *testing.T) {
	otptest.Heavy(t)
	for _, files := range []int{plenty, 1024} {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			experiment(t, fmt.Sprintf("1100 connections that ask for a name that is taken, file limit %d", files), func(x *trial) string {
				return crowdedOut(x, files, func(_ int, c *rig.Conn) {
					result, err := c.Register("steady-0", 1)
					if err == nil {
						require.NotZero(x, result)
					}
				})
			})
		})
	}
}

// crowdedOut has a node register while 1100 others are there.
func crowdedOut(x *trial, files int, greet func(int, *rig.Conn)) string {
	x.start(rig.Options{Files: files})
	x.hold(5)
	crowd := x.crowd(x.hurried(), 1100, greet)
	if !x.ours {
		if dead := x.dead(); dead != "" {
			return dead + "; all nodes are lost"
		}
		d, tries := x.hurried(), 0
		for end := time.Now().Add(shortly); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			tries++
			_, err := d.Register("late", 1)
			require.Error(x, err, "OTP's epmd used to be closed to everybody")
		}
		return fmt.Sprintf("nobody can register: %d of %d tries within %s fail", tries, tries, short(shortly))
	}
	begun := time.Now()
	late, err := x.dial.Register("late", 4711)
	took := time.Since(begun)
	require.NoError(x, err)
	left := open(crowd)
	require.NotZero(x, left, "it was served while they were there")
	if files >= plenty {
		require.Equal(x, 1100, left)
	}
	port, found, err := x.dial.Lookup("late")
	require.NoError(x, err)
	require.True(x, found)
	require.Equal(x, uint16(4711), port)
	late.Close()
	x.checkHeld()
	share := x.share(func() { time.Sleep(time.Second) })
	require.Less(x, share, 0.5, "CPU time per second while nothing happens")
	return fmt.Sprintf("a node registers in %s, with %d of them still there", short(took), left)
}
