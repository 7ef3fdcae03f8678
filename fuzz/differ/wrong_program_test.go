//go:build unix

package differ

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// beWrong names the wrong daemon that the test program is to be, in place of running tests;
// right is the model as it is.
const (
	beWrong = "GOEPMD_WRONG_DAEMON"
	right   = "the model"
)

func TestMain(m *testing.M) {
	name := os.Getenv(beWrong)
	if name == "" {
		os.Exit(m.Run())
	}
	status, err := serveWrong(name, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 2
	}
	os.Exit(status)
}

// TestWrongPrograms: the engine finds wrong programs, too, beside OTP's epmd, and does not
// find the model. One is tried, each time another; in make proof it is all.
func TestWrongPrograms(t *testing.T) {
	theirs := otptest.Epmd(t)
	seed := uint64(property.Seed(t))
	r := rand.New(rand.NewPCG(seed, 0))
	names := slices.Sorted(maps.Keys(wrongDaemons))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	if !otptest.HeavyRun() {
		names = names[:1]
	}
	for _, name := range append(names, right) {
		seed := r.Uint64()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "epmd")
			self, err := os.Executable()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(program, fmt.Appendf(nil, "#!/bin/sh\n%s='%s' exec '%s' \"$@\"\n", beWrong, name, self), 0o700))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			run := alike(t, func(ctx context.Context, relaxed bool) (Target, error) { return StartProgram(ctx, theirs, relaxed) },
				func(ctx context.Context, relaxed bool) (Target, error) { return StartProgram(ctx, program, relaxed) })
			var found *Difference
			run.Seed = seed
			run.Found = func(d *Difference) { found = d; stop() }
			if name != right {
				run.Steps = 50_000
			}
			s, err := run.Play(ctx)
			if name == right {
				require.NoError(t, err, "seed %d: %s", seed, found)
				return
			}
			require.ErrorIs(t, err, ErrDiffers, "seed %d: %d steps", seed, s.Steps)
			require.Positive(t, s.Differences, "seed %d: %s", seed, found)
			t.Logf("seed %d: found within %d steps and %v", seed, s.Steps, s.Elapsed)
		})
	}
}

// serveWrong is a wrong daemon as a program, with OTP's flags, and gives its exit status. It
// serves one event after the other, as OTP's epmd does.
func serveWrong(name string, args []string) (status int, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	port := flags.Int("port", 0, "")
	flags.String("address", "", "")
	relaxed := flags.Bool("relaxed_command_check", false, "")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	d := newModelled(*relaxed)
	d.Daemon.Port = uint16(*port)
	if name != right {
		wrongDaemons[name](d)
	}
	s := wrongServer{daemon: d, buf: make([]byte, wire.MaxPacketLen)}
	if s.listener, err = socket(); err != nil {
		return 0, err
	}
	err = errors.Join(unix.SetsockoptInt(s.listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.Bind(s.listener, &unix.SockaddrInet4{Port: *port, Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(s.listener, 1024))
	for err == nil && !d.killed {
		err = s.turn()
	}
	return d.status, err
}

// wrongServer is the sockets of a wrong daemon.
type wrongServer struct {
	daemon   *modelled
	listener int
	conns    []served
	buf      []byte
}

type served struct {
	fd   int
	conn *modelledConn
}

// turn waits until something happens: first to connections that there are, then new ones.
func (s *wrongServer) turn() error {
	fds := []unix.PollFd{{Fd: int32(s.listener), Events: unix.POLLIN}}
	for _, c := range s.conns {
		fds = append(fds, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN})
	}
	if _, err := unix.Poll(fds, -1); err != nil {
		if errors.Is(err, unix.EINTR) {
			return nil
		}
		return err
	}
	for i, c := range s.conns {
		if fds[1+i].Revents == 0 {
			continue
		}
		if n, err := unix.Read(c.fd, s.buf[:c.conn.want()]); n > 0 && err == nil {
			err = c.conn.Send(s.buf[:n])
			if err != nil {
				return err
			}
		} else if !errors.Is(err, unix.EINTR) {
			c.conn.close(WasClosed)
		}
	}
	s.conns = slices.DeleteFunc(s.conns, served.flush)
	if fds[0].Revents == 0 {
		return nil
	}
	fd, _, err := unix.Accept(s.listener)
	if err != nil {
		return nil // the peer is gone
	}
	conn, err := s.daemon.Dial()
	if err == nil {
		s.conns = append(s.conns, served{fd, conn.(*modelledConn)})
	}
	return err
}

// flush sends what the daemon has answered, and says whether that was the end.
func (c served) flush() (ended bool) {
	for len(c.conn.got) > 0 {
		n, err := unix.Write(c.fd, c.conn.got)
		if err != nil && !errors.Is(err, unix.EINTR) {
			c.conn.close(WasClosed)
			break
		}
		c.conn.got = c.conn.got[max(n, 0):]
	}
	if c.conn.end == StillOpen {
		return false
	}
	if c.conn.end == WasReset {
		_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // a close then is wrong in another way
	}
	_ = unix.Close(c.fd) // the peer sees the end
	return true
}
