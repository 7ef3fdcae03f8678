package epmd_test

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
)

// TestRestoreWithFewFiles: with however few descriptors, Restore and Serve either lose no
// registration, or say how many are needed, and succeed once there are more.
func TestRestoreWithFewFiles(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		failed, served := 0, 0
		for free := range 8 {
			s := run(t, &epmd.Server{Engine: engine, ConnsKept: true})
			var conns []net.Conn
			for i := range 4 {
				c, _ := s.register(t, fmt.Sprint("n", i))
				conns = append(conns, c)
			}
			left := s.keep(t)
			require.NoError(t, s.Close())
			ln, second := listener(t), listener(t)
			next := &epmd.Server{Engine: engine}
			give := useUpFiles(t, free)
			if err := next.Restore(left); err != nil {
				failed++
				require.ErrorIs(t, err, syscall.EMFILE, "%d free", free)
				require.ErrorContains(t, err, fmt.Sprintf("cannot go on with 4 connections: %d open files are needed, and the limit is 256", 256+4-free))
				require.Len(t, left.Conns, 4)
				give()
				require.NoError(t, next.Restore(left))
				give = func() {}
			}
			require.Empty(t, left.Conns)
			served++
			s = runOn(t, next, ln)
			require.Eventually(t, func() bool { return len(s.Addrs()) == 1 }, patience, tick, "%d free", free)
			give()
			require.ElementsMatch(t, []string{"n0", "n1", "n2", "n3"}, s.names())
			runOn(t, next, second)
			for _, c := range conns {
				s.requireOpen(t, c)
			}
			require.NoError(t, s.Close())
		}
		require.Equal(t, 4, failed, "with fewer than four")
		require.Equal(t, 8, served)
	})
}

// TestServeWithFewFilesAfterRestore: files that are gone when Serve begins lose no
// registration: another Serve begins with all of them.
func TestServeWithFewFilesAfterRestore(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		for free := range 3 { // or two may do
			s := run(t, &epmd.Server{Engine: engine, ConnsKept: true})
			var conns []net.Conn
			for i := range 4 {
				c, _ := s.register(t, fmt.Sprint("n", i))
				conns = append(conns, c)
			}
			next := &epmd.Server{Engine: engine}
			left := s.keep(t)
			require.NoError(t, s.Close())
			require.NoError(t, next.Restore(left))
			ln, second := listener(t), listener(t)
			give := useUpFiles(t, free)
			if free < 2 || engine == epmd.EngineEpoll {
				require.ErrorIs(t, next.Serve(ln), syscall.EMFILE)
				give()
				ln = second
			}
			s = runOn(t, next, ln)
			require.Eventually(t, func() bool { return len(s.Addrs()) == 1 }, patience, tick)
			give()
			for _, c := range conns {
				s.requireOpen(t, c)
			}
			require.Len(t, s.names(), 4)
			require.NoError(t, s.Close())
		}
	})
}

// TestRestoreOfNoConnection: what was kept and is no connection any more, or none at all, is
// no reason to lose the others.
func TestRestoreOfNoConnection(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		s := run(t, &epmd.Server{Engine: engine, ConnsKept: true})
		stays, _ := s.register(t, "stays")
		reset, _ := s.register(t, "reset")
		s.register(t, "closed")
		s.register(t, "other")
		left := s.keep(t)
		null, err := os.Open(os.DevNull)
		require.NoError(t, err)
		defer null.Close()
		for _, e := range left.Names.Nodes {
			switch f := left.Conns[e.Owner]; e.Node.Name {
			case "closed":
				require.NoError(t, f.Close())
			case "other":
				require.NoError(t, unix.Dup2(int(null.Fd()), int(f.Fd())))
			}
		}
		require.NoError(t, s.Close())
		require.NoError(t, reset.(*net.TCPConn).SetLinger(0))
		require.NoError(t, reset.Close())
		log := new(syncBuffer)
		s = s.goOn(t, &epmd.Server{Engine: engine, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, left)
		require.Equal(t, []string{"stays"}, s.names())
		s.requireOpen(t, stays)
		require.Contains(t, log.String(), "a connection has ended while nobody served it")
		require.Contains(t, log.String(), "what was kept is no connection")
	})
}

// TestRestoreUnderLowerLimit: descriptors above the limit, as a supervisor passes them that
// has lowered it, count too.
func TestRestoreUnderLowerLimit(t *testing.T) {
	s := run(t, &epmd.Server{ConnsKept: true})
	s.register(t, "a")
	left := s.keep(t)
	for o, f := range left.Conns {
		high, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 1000)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		left.Conns[o] = os.NewFile(uintptr(high), f.Name())
	}
	next := &epmd.Server{}
	give := useUpFiles(t, 1)
	err := next.Restore(left)
	give()
	require.ErrorContains(t, err, "1004 open files are needed, and the limit is 256")
	require.NoError(t, next.Restore(left))
	require.NoError(t, next.Close())
}

// TestResumeWithFewFiles: a successor that may not have as many files as it takes refuses
// before it has any, and says how many it needs; with as many it serves.
func TestResumeWithFewFiles(t *testing.T) {
	old := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	c, _ := old.register(t, "foo")
	for _, free := range []int{0, 5, 6} { // a listener, a connection, and four
		a, b := pair(t)
		next := &epmd.Server{Engine: epmd.EngineEpoll}
		give := useUpFiles(t, free)
		resumed := make(chan error, 1)
		go func() { resumed <- next.Resume(ctx(t), b) }()
		err := old.Handoff(ctx(t), a)
		give()
		if free == 6 {
			require.NoError(t, err)
			require.NoError(t, <-resumed)
			t.Cleanup(func() { require.NoError(t, next.Close()) })
			old = &running{Server: next, addr: old.addr}
			break
		}
		require.ErrorIs(t, <-resumed, syscall.EMFILE)
		require.ErrorContains(t, err, fmt.Sprintf("the successor refuses: %d open files are needed, and the limit is 256", 256+6-free))
		old.requireOpen(t, c)
	}
	old.requireOpen(t, c)
	require.Equal(t, []string{"foo"}, old.names())
}

// TestFewFilesChooseNoEngine: a lack of descriptors is no reason to serve on the portable
// engine for good.
func TestFewFilesChooseNoEngine(t *testing.T) {
	server := new(epmd.Server)
	ln, second := listener(t), listener(t)
	give := useUpFiles(t, 2) // enough for the portable one
	require.ErrorIs(t, server.Serve(ln), syscall.EMFILE)
	give()
	s := runOn(t, server, second)
	s.register(t, "foo")
	a, b := pair(t)
	require.NoError(t, b.Close())
	require.NotErrorIs(t, s.Handoff(ctx(t), a), epmd.ErrPortable)
}

// TestRestoreWhileFilesGo: files that others open in the middle of Restore lose nothing
// either.
func TestRestoreWhileFilesGo(t *testing.T) {
	failed := 0
	for range 20 {
		s := run(t, &epmd.Server{ConnsKept: true})
		ended, _ := s.register(t, "ended")
		var conns []net.Conn
		for i := range 4 {
			c, _ := s.register(t, fmt.Sprint("n", i))
			conns = append(conns, c)
		}
		left := s.keep(t)
		require.NoError(t, s.Close())
		require.NoError(t, ended.(*net.TCPConn).SetLinger(0))
		require.NoError(t, ended.Close())
		ln := listener(t)
		give := useUpFiles(t, 4)
		var eaten []int
		eat := writerFunc(func(p []byte) (int, error) { // the log tells that one has ended
			for {
				fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
				if err != nil {
					return len(p), nil
				}
				eaten = append(eaten, fd)
			}
		})
		next := &epmd.Server{Logger: slog.New(slog.NewTextHandler(eat, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		err := next.Restore(left)
		for _, fd := range eaten {
			require.NoError(t, unix.Close(fd))
		}
		give()
		if err != nil {
			failed++
			require.ErrorIs(t, err, syscall.EMFILE)
			next = new(epmd.Server)
			require.NoError(t, next.Restore(left))
		} else {
			require.NotEmpty(t, eaten)
			require.NoError(t, next.Close())
			continue
		}
		s = runOn(t, next, ln)
		for _, c := range conns {
			s.requireOpen(t, c)
		}
		require.Len(t, s.names(), 4)
		require.NoError(t, s.Close())
	}
	require.Positive(t, failed)
}
