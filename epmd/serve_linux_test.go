package epmd_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry/state"
)

// TestServeWithoutFiles: a Serve that cannot have the descriptors that it needs fails
// alone.
func TestServeWithoutFiles(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	c, _ := s.register(t, "foo")
	second := listener(t)
	give := useUpFiles(t, 0)
	require.ErrorIs(t, s.Serve(second), unix.EMFILE)
	give()
	s.requireOpen(t, c)
	require.Equal(t, []string{"foo"}, s.names())
	require.Len(t, s.Addrs(), 1)
	runOn(t, s.Server, listener(t)).requireOpen(t, c)
}

// TestEpollListenerFails: a listening socket that another process has shut down fails for
// good. It is closed, the others go on, and the server ends with the last one.
func TestEpollListenerFails(t *testing.T) {
	log := new(syncBuffer)
	s := &epmd.Server{Engine: epmd.EngineEpoll, Logger: slog.New(slog.NewTextHandler(log, nil))}
	lns := []net.Listener{listener(t), listener(t), listener(t), listener(t)}
	files := make([]*os.File, len(lns))
	for i, ln := range lns {
		var err error
		files[i], err = ln.(*net.TCPListener).File()
		require.NoError(t, err)
		defer files[i].Close()
	}
	fail := func(i int) { require.NoError(t, unix.Shutdown(int(files[i].Fd()), unix.SHUT_RDWR)) }
	both := make(chan error, 1)
	go func() { both <- s.Serve(lns[0], lns[1]) }()
	require.Eventually(t, func() bool { return len(s.Addrs()) == 2 }, patience, tick)
	alone := runOn(t, s, lns[2])
	last := runOn(t, s, lns[3])
	c, _ := last.register(t, "foo")
	alone.requireOpen(t, c) // it is served

	fail(0)
	require.Eventually(t, func() bool { return len(s.Addrs()) == 3 }, patience, tick)
	require.Contains(t, log.String(), "failed for good")
	fail(1)
	require.ErrorIs(t, <-both, unix.EINVAL)
	fail(2)
	require.ErrorIs(t, alone.end(t), unix.EINVAL)
	last.requireOpen(t, c)
	require.Equal(t, []string{"foo"}, last.names())

	again := runOn(t, s, listener(t)) // in the place of one that failed
	again.requireOpen(t, c)
	fail(3)
	require.ErrorIs(t, last.end(t), unix.EINVAL)
	again.requireOpen(t, c)
	require.NoError(t, s.Close())
	require.ErrorIs(t, again.end(t), epmd.ErrServerClosed)

	end := listener(t)
	f, err := end.(*net.TCPListener).File()
	require.NoError(t, err)
	defer f.Close()
	s = &epmd.Server{Engine: epmd.EngineEpoll}
	r := runOn(t, s, end)
	c, _ = r.register(t, "foo")
	require.NoError(t, unix.Shutdown(int(f.Fd()), unix.SHUT_RDWR))
	require.ErrorIs(t, r.end(t), unix.EINVAL)
	require.Empty(t, requireClosed(t, c))
	require.ErrorIs(t, s.Serve(listener(t)), unix.EINVAL, "the server has ended")
}

// TestSharedListenerBlocks: two descriptors of one listening socket, as two processes have
// them, which others have made block again: whoever comes too late for a connection does
// not wait for the next one.
func TestSharedListenerBlocks(t *testing.T) {
	ln := listener(t)
	f, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	defer f.Close()
	second, err := net.FileListener(f)
	require.NoError(t, err)
	s := runOn(t, &epmd.Server{Engine: epmd.EngineEpoll}, ln)
	runOn(t, s.Server, second)
	require.Eventually(t, func() bool { return len(s.Addrs()) == 2 }, patience, tick)
	for range 20 {
		require.NoError(t, unix.SetNonblock(int(f.Fd()), false))
		_, err = s.client().Names(ctx(t))
		require.NoError(t, err)
		require.NoError(t, s.Check(ctx(t)), "the loop goes on without another connection")
	}
}

// deniedEnv tells the process that TestAcceptDenied starts which engine it is to use.
const deniedEnv = "GOEPMD_TEST_ACCEPT_DENIED"

// TestAcceptDenied: where a security module refuses to accept on one listener, each time,
// and the connection goes on waiting, the server tries again less and less often, says so,
// and serves everybody else. The test runs in a process of its own, since what it does
// with a filter of system calls cannot be undone.
func TestAcceptDenied(t *testing.T) { onEngines(t, testAcceptDenied) }

func testAcceptDenied(t *testing.T, engine epmd.Engine) {
	if os.Getenv(deniedEnv) == "" {
		needSelf(t)
		if runtime.GOARCH == "386" {
			t.Skip("SKIPPED: all calls of sockets are one to this system, so a filter cannot tell accept; run it on another processor")
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$", "-test.timeout=5m")
		cmd.Env = append(os.Environ(), deniedEnv+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		if strings.Contains(string(out), "SKIPPED") {
			t.Skip("SKIPPED: no filter of system calls: ", string(out))
		}
		require.Contains(t, string(out), "--- PASS: "+t.Name())
		return
	}
	log := new(syncBuffer)
	s := &epmd.Server{Engine: engine, Logger: slog.New(slog.NewTextHandler(log, nil))}
	denied := runOn(t, s, listener(t))
	good := run(t, s)
	c, _ := good.register(t, "foo")
	require.Eventually(t, func() bool { return len(s.Addrs()) == 2 }, patience, tick)
	if err := denyAccept(listening(t, denied.addr)); err != nil {
		t.Skip("SKIPPED: the system takes no filter of system calls: ", err)
	}
	begun := time.Now()
	waiting := denied.dial(t)
	const tries = 6
	require.Eventually(t, func() bool { return s.Stats().AcceptErrors >= tries }, patience, tick)
	require.GreaterOrEqual(t, time.Since(begun), (1<<(tries-1)-1)*5*time.Millisecond, "5, 10, 20 ms and so on lie between")
	require.Contains(t, log.String(), "cannot accept")
	require.Contains(t, log.String(), unix.EACCES.Error())

	const look = 200 * time.Millisecond
	before := cpuTime(t)
	time.Sleep(look) // in which it may compute
	require.Less(t, cpuTime(t)-before, look/2, "it waits for the time to try again")
	good.requireOpen(t, c)
	_, resp := good.register(t, "bar")
	require.Zero(t, resp.Result)
	require.NoError(t, s.Close())
	require.Empty(t, requireClosed(t, waiting))
}

// cpuTime is what this process has computed.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// listening finds this process's descriptor of a listening socket; of several the newest,
// as they are numbered.
func listening(t *testing.T, addr string) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	found := -1
	for _, entry := range fds {
		var fd int
		_, err := fmt.Sscan(entry.Name(), &fd)
		require.NoError(t, err)
		sa, err := unix.Getsockname(fd)
		in, ok := sa.(*unix.SockaddrInet4)
		if err != nil || !ok || fmt.Sprintf("127.0.0.1:%d", in.Port) != addr {
			continue
		}
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && on == 1 {
			found = max(found, fd)
		}
	}
	require.GreaterOrEqual(t, found, 0)
	return found
}

// denyAccept has each accept4 of a descriptor fail with EACCES, in all threads of this
// process, for ever.
func denyAccept(fd int) error {
	const (
		number   = 0  // where a filter finds the number of the system call
		firstArg = 16 // and the low half of the first argument, of which the byte order decides
		allow    = 0x7fff0000
		errno    = 0x00050000
	)
	low := uint32(firstArg)
	if *(*byte)(unsafe.Pointer(&[1]uint16{1})) == 0 {
		low += 4
	}
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(k uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: k}
	}
	filter := []unix.SockFilter{
		load(number), unless(unix.SYS_ACCEPT4, 3),
		load(low), unless(uint32(fd), 1),
		{Code: unix.BPF_RET | unix.BPF_K, K: errno | uint32(unix.EACCES)},
		{Code: unix.BPF_RET | unix.BPF_K, K: allow},
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, failed := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case failed != 0:
		return failed
	case thread != 0:
		return fmt.Errorf("thread %d has a filter of its own", thread)
	}
	return nil
}

// failHandoff has a hand-over fail once the successor has the descriptors, and gives those:
// the successor may live on.
func (r *running) failHandoff(t *testing.T) []int {
	t.Helper()
	a, b := pair(t)
	files := make(chan []int, 1)
	go func() {
		_, _ = b.Write(hello(state.Version))
		_, got, _ := receive(b) // what fails, Handoff tells
		_ = b.Close()
		files <- got
	}()
	require.ErrorIs(t, r.Handoff(ctx(t), a), epmd.ErrHandoff)
	got := <-files
	t.Cleanup(func() {
		for _, fd := range got {
			_ = unix.Close(fd)
		}
	})
	return got
}

// TestKeptAfterFailedHandoff: a hand-over that failed changes nothing about connections that
// a supervisor keeps. They stay open when the server is closed or shut down, but not after
// a KILL_REQ or an unregistration, and without a supervisor all end.
func TestKeptAfterFailedHandoff(t *testing.T) {
	for name, tt := range map[string]struct {
		kept, lent, stays bool
		end               func(*running) error
	}{
		"close":               {true, true, true, func(s *running) error { return s.Close() }},
		"close, no hand-over": {true, false, true, func(s *running) error { return s.Close() }},
		"shutdown":            {true, true, true, func(s *running) error { return s.Shutdown(context.Background()) }},
		"kill":                {true, true, false, func(s *running) error { return s.client().Kill(context.Background()) }},
		"kill, no hand-over":  {true, false, false, func(s *running) error { return s.client().Kill(context.Background()) }},
		"unregister": {true, true, false, func(s *running) error {
			s.Unregister("foo")
			return nil
		}},
		"nobody keeps": {false, true, false, func(s *running) error { return s.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			s := run(t, &epmd.Server{Engine: epmd.EngineEpoll, ConnsKept: tt.kept, RelaxedCommandCheck: true})
			c, _ := s.register(t, "foo")
			e, _ := s.View().Entry("foo")
			f, err := s.File(e.Owner)
			require.NoError(t, err)
			defer f.Close()
			if tt.lent {
				s.failHandoff(t)
			}
			require.NoError(t, tt.end(s))
			if !tt.stays {
				require.Empty(t, requireClosed(t, c))
				return
			}
			require.ErrorIs(t, s.end(t), epmd.ErrServerClosed)
			_, err = c.Write([]byte("x"))
			require.NoError(t, err)
			require.NoError(t, f.SetReadDeadline(time.Now().Add(patience)))
			b := make([]byte, 1)
			_, err = f.Read(b)
			require.NoError(t, err)
			require.Equal(t, "x", string(b), "whoever keeps it can go on")
		})
	}
}

// TestKillEndsKept: a KILL_REQ ends connections that somebody keeps too, on either engine.
func TestKillEndsKept(t *testing.T) { onEngines(t, testKillEndsKept) }

func testKillEndsKept(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, ConnsKept: true, RelaxedCommandCheck: true})
	c, _ := s.register(t, "foo")
	e, _ := s.View().Entry("foo")
	f, err := s.File(e.Owner)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, s.client().Kill(ctx(t)))
	require.ErrorIs(t, s.end(t), epmd.ErrKilled)
	require.Empty(t, requireClosed(t, c))
}

// TestResumeInUse: a server that serves, or has been given something by Restore, refuses to
// resume what another one holds. Both go on.
func TestResumeInUse(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	c, _ := s.register(t, "foo")
	serves := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	d, _ := serves.register(t, "bar")
	left, e := kept(t, epmd.EngineEpoll)
	restored := &epmd.Server{Engine: epmd.EngineEpoll}
	require.NoError(t, restored.Restore(left))
	for _, next := range []*epmd.Server{serves.Server, restored} {
		a, b := pair(t)
		resumed := make(chan error, 1)
		go func() { resumed <- next.Resume(ctx(t), b) }()
		require.ErrorIs(t, s.Handoff(ctx(t), a), epmd.ErrHandoff)
		err := <-resumed
		require.ErrorIs(t, err, epmd.ErrHandoff)
		require.ErrorContains(t, err, "in use already")
	}
	s.requireOpen(t, c)
	serves.requireOpen(t, d)
	again := run(t, restored)
	again.requireOpen(t, e)
	require.Equal(t, []string{"foo", "bar", "foo"}, slices.Concat(s.names(), serves.names(), again.names()))
}
