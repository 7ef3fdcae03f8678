package upgrade_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/wire"
)

// supervisor plays systemd's side of sd_notify(3): it starts a daemon with its
// sockets, keeps what it is given by FDSTORE, and starts the next with all of it.
type supervisor struct {
	t      *testing.T
	socket string
	port   uint16
	notify *net.UnixConn
	ln     *os.File

	mu      sync.Mutex
	kept    []keptFile
	said    []string // what was said, but for FDSTORE
	mainPID int
	changed *sync.Cond
}

type keptFile struct {
	name string
	file *os.File
	stat unix.Stat_t
}

func newSupervisor(t *testing.T) *supervisor {
	t.Helper()
	s := &supervisor{t: t, socket: filepath.Join(t.TempDir(), "notify")}
	s.changed = sync.NewCond(&s.mu)
	var err error
	s.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	require.NoError(t, err)
	require.NoError(t, s.notify.SetReadBuffer(1<<20))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.port = uint16(ln.Addr().(*net.TCPAddr).Port)
	s.ln, err = ln.(*net.TCPListener).File()
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.listen()
	}()
	t.Cleanup(func() {
		_ = s.notify.Close()
		<-done
		for _, k := range s.kept {
			_ = k.file.Close()
		}
		_ = s.ln.Close()
	})
	return s
}

// listen hears what daemons say, until the socket is closed.
func (s *supervisor) listen() {
	b, oob := make([]byte, 4096), make([]byte, 4096)
	for {
		n, k, _, _, err := s.notify.ReadMsgUnix(b, oob)
		if err != nil {
			return
		}
		var files []int
		if msgs, err := unix.ParseSocketControlMessage(oob[:k]); err == nil {
			for i := range msgs {
				got, _ := unix.ParseUnixRights(&msgs[i]) // others are of no interest
				files = append(files, got...)
			}
		}
		s.hear(string(b[:n]), files)
	}
}

func (s *supervisor) hear(text string, files []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	words := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		words[name] = value
	}
	switch name := words["FDNAME"]; {
	case words["FDSTORE"] == "1":
		for _, fd := range files {
			s.keep(name, fd)
		}
	case words["FDSTOREREMOVE"] == "1":
		s.forget(func(k keptFile) bool { return k.name == name })
	default:
		s.said = append(s.said, text)
		if v := words["MAINPID"]; v != "" {
			_, _ = fmt.Sscan(v, &s.mainPID) // a test sees whether it came
		}
	}
}

// keep keeps a file, if it is not kept already.
func (s *supervisor) keep(name string, fd int) {
	k := keptFile{name: name, file: os.NewFile(uintptr(fd), name)}
	if unix.Fstat(fd, &k.stat) != nil || len(name) > 255 {
		_ = k.file.Close() // it cannot be
		return
	}
	for _, other := range s.kept {
		if other.stat.Ino == k.stat.Ino && other.stat.Dev == k.stat.Dev {
			_ = k.file.Close() // it is known
			return
		}
	}
	s.kept = append(s.kept, k)
}

// forget closes some of what is kept.
func (s *supervisor) forget(which func(keptFile) bool) {
	var rest []keptFile
	for _, k := range s.kept {
		if which(k) {
			_ = k.file.Close() // that is the purpose
		} else {
			rest = append(rest, k)
		}
	}
	s.kept = rest
}

// await waits until something holds.
func (s *supervisor) await(what string, f func() bool) {
	s.t.Helper()
	late := time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer late.Stop()
	until := time.Now().Add(patience)
	s.mu.Lock()
	defer s.mu.Unlock()
	for !f() {
		require.True(s.t, time.Now().Before(until), "%s does not come; said: %q, kept: %d", what, s.said, len(s.kept))
		s.changed.Wait()
	}
}

func (s *supervisor) heard(word string) bool {
	for _, text := range s.said {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// start starts a daemon with all that is kept, and waits until it is ready.
func (s *supervisor) start(args ...string) *exec.Cmd { return s.startAfter("true", args...) }

// startAfter is start after a command of the shell that becomes the daemon.
func (s *supervisor) startAfter(first string, args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := s.command(first, args...)
	cmd.Stderr = os.Stderr
	require.NoError(s.t, cmd.Start())
	s.mu.Lock()
	s.mainPID = cmd.Process.Pid
	s.mu.Unlock()
	s.t.Cleanup(func() { kill(cmd.Process.Pid) })
	s.await("READY", func() bool { return s.heard("READY=1") })
	return cmd
}

// command is a daemon with all that is kept.
func (s *supervisor) command(first string, args ...string) *exec.Cmd {
	s.mu.Lock()
	files, names := []*os.File{s.ln}, []string{"epmd.socket"}
	for _, k := range s.kept {
		files, names = append(files, k.file), append(names, k.name)
	}
	s.said = nil
	s.mu.Unlock()
	cmd := exec.Command("sh", append([]string{"-c", first + `; LISTEN_PID=$$ exec "$0" "$@"`, program, "-systemd"}, args...)...)
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+s.socket, fmt.Sprintf("LISTEN_FDS=%d", len(files)),
		"LISTEN_FDNAMES="+strings.Join(names, ":"), "WATCHDOG_USEC=200000", "FDSTORE=16384")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// conns is how many connections are kept.
func (s *supervisor) conns() int { return len(s.kept) - 1 }

// TestKillUnderSupervisor kills the daemon again and again: nobody who is
// registered notices.
func TestKillUnderSupervisor(t *testing.T) {
	s := newSupervisor(t)
	args := []string{"-port", fmt.Sprint(s.port), "-state", t.TempDir() + "/state"}
	cmd := s.start(args...)
	c := gather(t, s.port)
	const kills = 10
	for i := range kills {
		s.await("every connection", func() bool { return s.conns() == nodes+len(c.erl) })
		asked := c.asked.Load()
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		cmd = s.start(args...)
		require.Eventually(t, func() bool { return c.asked.Load() > asked }, patience, time.Millisecond)
		c.require(t)
		if i == kills/2 { // an upgrade in between
			require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
			s.await("the reload", func() bool {
				return s.heard("RELOADING=1\nMONOTONIC_USEC=") && s.mainPID != cmd.Process.Pid
			})
			require.NoError(t, cmd.Wait())
			s.await("one message with number and readiness, of the next and of the one before", func() bool {
				return strings.Count(strings.Join(s.said, "\n"), fmt.Sprintf("MAINPID=%d\nREADY=1", s.mainPID)) == 2
			})
			c.register(t, "between", 1)
			s.await("its connection", func() bool { return s.conns() == nodes+len(c.erl)+1 })
			s.mu.Lock()
			next := s.mainPID
			s.mu.Unlock()
			t.Cleanup(func() { kill(next) })
			c.conns["between"].Close()
			delete(c.conns, "between")
			s.await("its end", func() bool { return s.conns() == nodes+len(c.erl) })
			kill(next)
			awaitEnd(t, next)
			cmd = s.start(args...)
		}
	}
	c.finish(t)
	require.LessOrEqual(t, c.cut.Load(), int64((kills+1)*askers), "only who was just being answered is cut")
	s.await("the watchdog", func() bool { return s.heard("WATCHDOG=1") })

	// What ends while nobody serves has ended.
	s.await("every connection", func() bool { return s.conns() == nodes+len(c.erl) })
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	for i := range 10 {
		c.conns[nodeName(i)].Close()
		delete(c.conns, nodeName(i))
	}
	cmd = s.start(args...)
	list, err := c.dialer.List()
	require.NoError(t, err)
	require.Len(t, list, nodes+len(c.erl)-10)
	require.NotContains(t, list, nodeName(0))
	c.register(t, nodeName(0), 1)

	// Ended in good order it leaves its connections to the next one too.
	s.await("every connection", func() bool { return s.conns() == nodes+len(c.erl)-9 })
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Error(t, cmd.Wait())
	require.True(t, c.conns[nodeName(0)].Open())
	s.start(args...)
	list, err = c.dialer.List()
	require.NoError(t, err)
	require.Len(t, list, nodes+len(c.erl)-9)
}

// TestFewFilesUnderSupervisor: a daemon that may open too few files to go on for the one
// before says how many it needs, ends with 1, for which the unit has no restart, and has lost
// nothing; one that may open so many goes on.
func TestFewFilesUnderSupervisor(t *testing.T) {
	s := newSupervisor(t)
	args := []string{"-port", fmt.Sprint(s.port)}
	daemon := s.start(args...)
	c := &crowd{dialer: rig.Dialer{Port: s.port}, conns: map[string]*rig.Conn{}, creations: map[string]uint32{}}
	const nodes = 6
	for i := range nodes {
		c.register(t, nodeName(i), 1)
	}
	s.await("every connection", func() bool { return s.conns() == nodes })
	require.NoError(t, daemon.Process.Kill())
	require.Error(t, daemon.Wait())

	var said []string
	for limit := 16; said == nil; limit++ { // at first it may not even have its listener
		var stderr strings.Builder
		cmd := s.command(fmt.Sprint("ulimit -n ", limit), args...)
		cmd.Stderr = &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 1, exit.ExitCode(), stderr.String())
		require.Contains(t, stderr.String(), "LimitNOFILE=")
		require.Equal(t, nodes, s.conns())
		said = regexp.MustCompile(`cannot go on with 6 connections: (\d+) open files are needed, and the limit is \d`).FindStringSubmatch(stderr.String())
	}

	s.startAfter("ulimit -n "+said[1], args...)
	for _, conn := range c.conns {
		require.True(t, conn.Open())
	}
}

// TestUnfitStateUnderSupervisor: what has come into the place of the state file ends no
// registration when the daemon has been killed; it is left alone, and said. Where nobody is
// registered, the daemon does not start.
func TestUnfitStateUnderSupervisor(t *testing.T) {
	s := newSupervisor(t)
	path := filepath.Join(t.TempDir(), "state")
	args := []string{"-port", fmt.Sprint(s.port), "-state", path}
	require.NoError(t, os.Mkdir(path, 0o700))
	out, err := s.command("true", args...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "is a folder")
	require.NoError(t, os.Remove(path))
	s.mu.Lock()
	s.forget(func(keptFile) bool { return true })
	s.mu.Unlock()

	daemon := s.start(args...)
	c := &crowd{dialer: rig.Dialer{Port: s.port}, conns: map[string]*rig.Conn{}, creations: map[string]uint32{}}
	c.register(t, "held", 1)
	s.await("its connection", func() bool { return s.conns() == 1 })
	require.NoError(t, daemon.Process.Kill())
	require.Error(t, daemon.Wait())
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	s.start(args...)
	list, err := c.dialer.List()
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.True(t, c.conns["held"].Open())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "precious", string(b))
}

// TestMoreTransportsUnderSupervisor: a connection that registers several transports may go on
// doing so when the daemon has been killed.
func TestMoreTransportsUnderSupervisor(t *testing.T) {
	s := newSupervisor(t)
	args := []string{"-port", fmt.Sprint(s.port), "-multi_transport"}
	daemon := s.start(args...)
	conn, err := (&rig.Dialer{Port: s.port}).Dial()
	require.NoError(t, err)
	for _, transport := range []string{"inet_tcp", "inet_tls", "uds"} {
		b, err := wire.Node{Name: "foo", Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5, Transport: transport}.AppendAlive3Req(nil)
		require.NoError(t, err)
		require.NoError(t, conn.Send(b))
		answer, err := conn.RecvLen(8, patience)
		require.NoError(t, err)
		resp, _, err := wire.ParseAlive3Resp(answer)
		require.NoError(t, err)
		require.Zero(t, resp.Result)
		s.await("its connection", func() bool { return s.conns() == 1 })
		require.NoError(t, daemon.Process.Kill())
		require.Error(t, daemon.Wait())
		daemon = s.start(args...)
	}
}
