package faults_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// endings are the ways in which a client can go.
var endings = []func(*rig.Conn){
	(*rig.Conn).Reset,
	(*rig.Conn).Close,
	func(c *rig.Conn) { c.HalfClose(); c.Close() },
	func(c *rig.Conn) { _ = c.Send([]byte{0, 1}); c.Reset() }, // where it is closed already, that is as good
}

func TestLeavingAtEveryStep(t *testing.T) {
	otptest.Heavy(t)
	experiment(t, "clients that leave after each byte of each request, by reset and otherwise", func(x *trial) string {
		x.start(rig.Options{Files: 1024})
		x.hold(5)
		requests := [][]byte{
			rig.Alive("leaver", 1), rig.Port("steady-1"), rig.Names(), rig.Dump(), rig.Kill(), rig.Stop("steady-1"),
			{0, 1, 0}, {0xff, 0xff}, {0, 0},
		}
		steps := 0
		leave := func(request []byte, read bool, end func(*rig.Conn)) {
			steps++
			c, err := x.dial.Dial()
			require.NoError(x, err)
			defer c.Close()
			_ = c.Send(request) // where it is closed already, that is as good
			if read {
				_, _ = c.Recv(nil, patience) // likewise
			}
			end(c)
		}
		all := func() {
			for _, request := range requests {
				for _, end := range endings {
					for n := range len(request) + 1 {
						leave(request[:n], false, end)
					}
					leave(request, true, end)
				}
			}
			require.Empty(x, x.d.Died())
			x.awaitOnlyHeld()
			x.checkHeld()
		}
		all() // on a busy machine a daemon opens some of its own files only now
		base, err := x.d.Files()
		require.NoError(x, err)
		all()
		require.Eventually(x, func() bool {
			files, err := x.d.Files()
			return err == nil && files <= base
		}, patience, 20*time.Millisecond, "it holds files of those who left")
		return fmt.Sprintf("%d left; nobody is lost, and nothing of them kept", steps)
	})
}

func TestLongestName(t *testing.T) {
	otptest.Heavy(t)
	experiment(t, "names of 254, 255 and 256 characters", func(x *trial) string {
		x.start(rig.Options{})
		register := func(n int) (uint8, string) {
			name := strings.Repeat("n", n)
			c, err := x.dial.Dial()
			require.NoError(x, err)
			x.Cleanup(c.Close)
			result, err := c.Register(name, uint16(n))
			require.NoError(x, err)
			return result, name
		}
		result, fits := register(254)
		require.Zero(x, result)
		port, found, err := x.dial.Lookup(fits)
		require.NoError(x, err)
		require.True(x, found)
		require.Equal(x, uint16(254), port)
		result, longest := register(255)
		require.Zero(x, result, "it registers")
		// No lookup that our own encoder makes can hold it.
		answer, err := x.dial.Ask(append([]byte{1, 0, 'z'}, longest...))
		require.NoError(x, err)
		require.Empty(x, answer, "but it cannot be looked up")
		result, _ = register(256)
		require.NotZero(x, result, "it is refused")
		list, err := x.dial.List()
		require.NoError(x, err)
		require.Equal(x, map[string]uint16{fits: 254, longest: 255}, list)
		return "254 is found; 255 registers, is listed, and its lookup closed unanswered; 256 is refused"
	})
}

func TestDaemonThatIsKilled(t *testing.T) {
	otptest.Heavy(t)
	const n = 200
	experiment(t, "200 nodes (our client), the daemon is killed and started again", func(x *trial) string {
		x.start(rig.Options{Files: 1024})
		client := &epmd.Client{Addr: fmt.Sprintf("127.0.0.1:%d", x.d.Port), Reregister: true, MaxBackoff: time.Second}
		for i := range n {
			r, err := client.Register(context.Background(), wire.Node{
				Name: fmt.Sprintf("node-%d", i), Port: uint16(i), Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5,
			})
			require.NoError(x, err)
			x.Cleanup(func() { _ = r.Close() }) // its error is always nil
		}
		x.d.Stop()
		x.start(rig.Options{Files: 1024, Port: x.d.Port})
		begun := time.Now()
		require.Eventually(x, func() bool {
			list, err := x.dial.List()
			return err == nil && len(list) == n
		}, patience, 10*time.Millisecond, "they do not come back")
		took := time.Since(begun)
		list, err := x.dial.List()
		require.NoError(x, err)
		for i := range n {
			require.Equal(x, uint16(i), list[fmt.Sprintf("node-%d", i)])
		}
		return fmt.Sprintf("all are back after %s", short(took))
	})
}
