package conformance

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slow is a target that closes each connection so long after a request, on a machine so
// busy that who sends one goes on a while later.
type slow struct {
	script
	closes, busy time.Duration
}

func (s slow) Start(context.Context, Config) (Daemon, error) { return slowDaemon{s}, nil }

type slowDaemon struct{ slow }

func (d slowDaemon) Port() uint16                                     { return 0x1234 }
func (d slowDaemon) Close() error                                     { return nil }
func (d slowDaemon) Exit(context.Context) (int, error)                { return 0, nil }
func (d slowDaemon) Command(context.Context, Command) (Output, error) { return Output{}, nil }
func (d slowDaemon) Dial(context.Context, Route) (Conn, error)        { return &slowConn{slow: d.slow}, nil }

type slowConn struct {
	scriptConn
	slow
	end time.Time
}

func (c *slowConn) Send([]byte) error {
	c.end = time.Now().Add(c.closes)
	time.Sleep(c.busy)
	return nil
}

func (c *slowConn) Recv(b []byte, wait time.Duration) ([]byte, State, error) {
	time.Sleep(min(wait, max(time.Until(c.end), 0)))
	if time.Now().Before(c.end) {
		return b, StillOpen, nil
	}
	return b, WasClosed, nil
}

// TestTooEarlyOnABusyMachine: that the player goes on late does not make a daemon early.
func TestTooEarlyOnABusyMachine(t *testing.T) {
	for name, tt := range map[string]struct {
		closes, busy time.Duration
		want         Verdict
	}{
		"idle":             {time.Second, 0, Passed},
		"busy":             {time.Second, 900 * time.Millisecond, Passed},
		"too early":        {690 * time.Millisecond, 0, Failed},
		"too early, busy":  {690 * time.Millisecond, 600 * time.Millisecond, Failed},
		"too late":         {9 * time.Second, 0, Failed},
		"too late to tell": {time.Second, 5 * time.Second, Passed},
	} {
		t.Run(name, func(t *testing.T) {
			s := one(t, "    quiet: true\n    steps: [a -> 00, 'a <- nothing, closed 700ms..6s']\n")
			synctest.Test(t, func(t *testing.T) {
				res := Runner{Settle: -1}.One(t.Context(), slow{closes: tt.closes, busy: tt.busy}, 0, s)
				require.Equal(t, tt.want, res.Verdict, "%+v", res.Failure)
			})
		})
	}
}
