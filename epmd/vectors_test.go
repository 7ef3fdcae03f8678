package epmd_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/suitetest"
)

// embedded is servers of this process, as a target of the conformance suite.
type embedded struct{ engine epmd.Engine }

func (e embedded) Name() string { return "goepmd, embedded, " + e.engine.String() }

func (e embedded) Start(ctx context.Context, c conformance.Config) (conformance.Daemon, error) {
	o, err := c.Options()
	if err != nil {
		return nil, err
	}
	port, err := conformance.FreePort()
	if err != nil {
		return nil, err
	}
	s := &epmd.Server{
		Engine: e.engine, Port: port, Addresses: o.Addresses, RelaxedCommandCheck: o.Relaxed,
		MultiTransport: o.MultiTransport, OneHolder: o.OneHolder, TakenGrace: e.grace(o),
		PacketTimeout: o.PacketTimeout, AcceptDelay: o.AcceptDelay, WriteDelay: o.WriteDelay,
	}
	if o.Debug > 0 {
		s.Remember = 5 // as the program does
	}
	d := &embeddedDaemon{server: s, port: port, ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		d.err = s.ListenAndServe(context.WithoutCancel(ctx))
	}()
	err = conformance.AwaitListening(ctx, port, d.ended)
	select {
	case <-d.ended:
		return nil, &conformance.ExitError{Output: conformance.Output{Status: d.status()}}
	default:
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return d, nil
}

// grace is none for the epoll engine unless a scenario asks for some, and for the others what
// is usual: so the suite is played to both.
func (e embedded) grace(o conformance.Options) time.Duration {
	if o.TakenGrace == 0 && e.engine == epmd.EngineEpoll {
		return -1
	}
	return o.TakenGrace
}

type embeddedDaemon struct {
	server *epmd.Server
	port   uint16
	ended  chan struct{} // closed when it has
	err    error         // of Serve, then
}

func (d *embeddedDaemon) Port() uint16 { return d.port }
func (d *embeddedDaemon) Close() error { return d.server.Close() }

func (d *embeddedDaemon) Dial(ctx context.Context, r conformance.Route) (conformance.Conn, error) {
	return conformance.DialRoute(ctx, d.port, r)
}

// status is the one that a program would end with.
func (d *embeddedDaemon) status() int {
	if errors.Is(d.err, epmd.ErrKilled) || errors.Is(d.err, epmd.ErrAlreadyRunning) {
		return 0
	}
	return 1
}

// Exit is the status that a program would end with.
func (d *embeddedDaemon) Exit(ctx context.Context) (int, error) {
	select {
	case <-d.ended:
		return d.status(), nil
	case <-ctx.Done():
		return 0, errors.New("the server does not end")
	}
}

func (d *embeddedDaemon) Command(context.Context, conformance.Command) (conformance.Output, error) {
	return conformance.Output{}, conformance.Unsupported("a server in this process has no program")
}

// TestVectors holds an embedded server to the conformance suite.
func TestVectors(t *testing.T) {
	t.Parallel()
	onEngines(t, testVectors)
}

func testVectors(t *testing.T, engine epmd.Engine) {
	if engine == epmd.EnginePortable && runtime.GOOS == "linux" {
		otptest.Heavy(t)
	}
	t.Parallel()
	suitetest.Play(t, embedded{engine}, "../docs/deviations.yaml")
}
