package lab

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long anything may take that should happen at once, on a busy machine.
const patience = 60 * time.Second

// etcFiles are those of /etc that each machine has for itself.
var etcFiles = []string{"hosts", "resolv.conf", "nsswitch.conf", "hostname"}

// world is the machines of one set-up, and the switch that joins them.
type world struct {
	t        *testing.T
	dir      string
	hub      *machine
	machines []*machine
	// programs are those that go on, as they were started from outside; ends are what is
	// left to do when all machines have ended, and with them their programs.
	programs []*exec.Cmd
	ends     []func()
}

// machine is a computer, or a container: a network, processes, mounts and a name of its own.
type machine struct {
	w    *world
	name string
	addr string // its first address
	dir  string
	// first starts its first process, whose number is pid, and which ends with its input.
	first *exec.Cmd
	in    io.Closer
	pid   int
	// own says that its hosts file was written by hand.
	own bool
	// roots are the images that are mounted here.
	roots map[string]string
	ports int // links so far
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir()}
	t.Cleanup(w.end)
	w.hub = w.boot("switch", nil)
	w.hub.ip("link add br0 type bridge", "link set br0 up")
	return w
}

// end ends the machines, containers before those on which they are. A machine waits for
// those who wait for its programs; nsenter does not while its program is stopped, and so is
// ended first.
func (w *world) end() {
	for _, cmd := range w.programs {
		_ = cmd.Process.Kill() // it may have ended
	}
	for _, m := range slices.Backward(w.machines) {
		_ = m.in.Close()   // is always nil
		_ = m.first.Wait() // how it ended does not matter
	}
	for _, f := range w.ends {
		f()
	}
}

// boot makes a machine without a network. Another one sees the processes of its containers.
func (w *world) boot(name string, on *machine) *machine {
	w.t.Helper()
	m := &machine{w: w, name: name, dir: filepath.Join(w.dir, name), roots: make(map[string]string)}
	for _, dir := range []string{"etc", "files"} {
		require.NoError(w.t, os.MkdirAll(filepath.Join(m.dir, dir), 0o755))
	}
	m.file("hosts", "")
	m.file("resolv.conf", "# no server\n")
	m.file("nsswitch.conf", "hosts: files dns\n")
	m.file("hostname", name+"\n")

	self, err := os.Executable()
	require.NoError(w.t, err)
	args := []string{"unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", self, name, filepath.Join(m.dir, "etc")}
	if on != nil {
		args = append([]string{"nsenter", "--target", strconv.Itoa(on.pid), "--pid", "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), programEnv+"=init")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(w.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, cmd.Start(), "a machine takes root, and Linux with namespaces")
	m.first, m.in = cmd, in
	w.machines = append(w.machines, m)
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(w.t, err)
	require.Equal(w.t, "up\n", line)
	m.pid = child(w.t, cmd.Process.Pid)
	if on != nil {
		m.pid = child(w.t, m.pid)
	}
	return m
}

// machine makes a machine at the switch, with addresses as "10.9.0.1/24". Without any it
// gets the next of 10.9.0.0/24.
func (w *world) machine(name string, addrs ...string) *machine {
	w.t.Helper()
	m := w.boot(name, nil)
	if len(addrs) == 0 {
		addrs = []string{fmt.Sprintf("10.9.0.%d/24", len(w.machines))}
	}
	m.ip("link set lo up")
	m.link(w.hub, addrs...)
	m.addr, _, _ = strings.Cut(addrs[0], "/")
	w.writeHosts()
	return m
}

// container makes a machine behind another, which has the way out, and where what runs in
// it is hidden from the switch, as containers are by default.
func (m *machine) container(name, addr, gateway string) *machine {
	m.w.t.Helper()
	c := m.w.boot(name, m)
	c.ip("link set lo up")
	link := c.link(m, addr)
	m.ip("address add "+gateway+" dev "+link, "link set "+link+" up")
	ip, _, _ := strings.Cut(gateway, "/")
	c.ip("route add default via " + ip)
	c.addr, _, _ = strings.Cut(addr, "/")
	c.hosts(c.addr + " " + name)
	m.shell("echo 1 >/proc/sys/net/ipv4/ip_forward")
	return c
}

// link joins a machine to a switch or to another machine, and gives the far end's name.
func (m *machine) link(to *machine, addrs ...string) (far string) {
	m.w.t.Helper()
	far, near := fmt.Sprintf("v%d.%d", len(m.w.machines), m.ports), fmt.Sprintf("eth%d", m.ports)
	m.ports++
	to.ip(fmt.Sprintf("link add name %s type veth peer name %s netns %d", far, near, m.pid))
	if to == m.w.hub {
		to.ip("link set "+far+" master br0", "link set "+far+" up")
	}
	lines := []string{"link set " + near + " up"}
	for _, a := range addrs {
		line := "address add " + a + " dev " + near
		if strings.Contains(a, ":") {
			line += " nodad" // else it can be used in a second only
		}
		lines = append(lines, line)
	}
	m.ip(lines...)
	return far
}

// writeHosts has each machine know all others, unless its hosts file was written by hand.
func (w *world) writeHosts() {
	var lines []string
	for _, m := range w.machines {
		if m.addr != "" {
			lines = append(lines, m.addr+" "+m.name)
		}
	}
	for _, m := range w.machines {
		if !m.own {
			m.file("hosts", hosts(lines...))
		}
	}
}

func hosts(lines ...string) string {
	return "127.0.0.1 localhost\n::1 localhost ip6-localhost\n" + strings.Join(lines, "\n") + "\n"
}

// hosts writes the machine's hosts file, besides localhost.
func (m *machine) hosts(lines ...string) {
	m.own = true
	m.file("hosts", hosts(lines...))
}

// file writes a file of /etc, over what is mounted there.
func (m *machine) file(name, text string) {
	m.w.t.Helper()
	require.NoError(m.w.t, os.WriteFile(filepath.Join(m.dir, "etc", name), []byte(text), 0o644))
}

// put writes a file for the machine's programs, those of images, too, and gives its path.
func (m *machine) put(name, text string) string {
	m.w.t.Helper()
	path := filepath.Join(m.dir, "files", name)
	require.NoError(m.w.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// command is a program on the machine.
func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	enter := []string{"--target", strconv.Itoa(m.pid), "--net", "--mount", "--pid", "--uts", "--ipc", "--wdns=/", "--"}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+m.dir)
	return cmd
}

// run runs a program to its end, which must be a good one.
func (m *machine) run(in string, args ...string) string {
	m.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := m.command(ctx, args...)
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	require.NoError(m.w.t, err, "%s: %v: %s", m.name, args, out)
	return strings.TrimSpace(string(out))
}

func (m *machine) shell(line string) string {
	m.w.t.Helper()
	return m.run("", "sh", "-c", line)
}

// ip runs commands of ip(8).
func (m *machine) ip(lines ...string) {
	m.w.t.Helper()
	// The command enters only the network of the machine: it names processes as this test sees them.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "--target", strconv.Itoa(m.pid), "--net", "--", "ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	require.NoError(m.w.t, err, "%s: %v: %s", m.name, lines, out)
}

// nft gives the machine rules of a firewall, as `nft -f` reads them.
func (m *machine) nft(rules string) {
	m.w.t.Helper()
	m.run(rules, "nft", "-f", "-")
}

// incoming is a firewall's rules for what comes in from other machines.
func (m *machine) incoming(rules ...string) {
	m.w.t.Helper()
	m.nft("table inet filter { chain input { type filter hook input priority 0; policy accept;\niif lo accept\n" +
		strings.Join(rules, "\n") + "\n}\n}\n")
}

// outgoing is the same for what goes out.
func (m *machine) outgoing(rules ...string) {
	m.w.t.Helper()
	m.nft("table inet filter { chain output { type filter hook output priority 0; policy accept;\noif lo accept\n" +
		strings.Join(rules, "\n") + "\n}\n}\n")
}

// process is a program that goes on.
type process struct {
	m   *machine
	cmd *exec.Cmd
	in  io.Closer
	out *printed
}

// start starts a program, which goes on until the machine ends.
func (m *machine) start(env []string, args ...string) *process {
	m.w.t.Helper()
	cmd := m.command(context.Background(), args...)
	cmd.Env = append(cmd.Env, env...)
	p := &process{m: m, cmd: cmd, out: newPrinted()}
	var err error
	p.in, err = cmd.StdinPipe()
	require.NoError(m.w.t, err)
	cmd.Stdout, cmd.Stderr = p.out, p.out
	require.NoError(m.w.t, cmd.Start())
	m.w.programs = append(m.w.programs, cmd)
	m.w.ends = append(m.w.ends, func() { _ = cmd.Wait() }) // how it ended does not matter
	return p
}

// us starts one of this test's programs, and waits until it says that it is ready.
func (m *machine) us(program string, args ...string) *process {
	m.w.t.Helper()
	self, err := os.Executable()
	require.NoError(m.w.t, err)
	p := m.start([]string{programEnv + "=" + program}, append([]string{self}, args...)...)
	p.await("ready")
	return p
}

// await waits until the program has printed something.
func (p *process) await(text string) {
	p.m.w.t.Helper()
	deadline := time.After(patience)
	for {
		now, more := p.out.text()
		if strings.Contains(now, text) {
			return
		}
		select {
		case <-more:
		case <-deadline:
			require.FailNow(p.m.w.t, "not ready", "%s: %v has not printed %q:\n%s", p.m.name, p.cmd.Args, text, now)
		}
	}
}

// child is the one process that another has started.
func child(t *testing.T, of int) int {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", of))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	require.NoError(t, err)
	return pid
}

// inner is the program's process, below nsenter, as this test sees it.
func (p *process) inner() int {
	p.m.w.t.Helper()
	return child(p.m.w.t, p.cmd.Process.Pid)
}

func (p *process) signal(s syscall.Signal) {
	p.m.w.t.Helper()
	require.NoError(p.m.w.t, syscall.Kill(p.inner(), s))
}

// kill ends the program at once, and waits for its end.
func (p *process) kill() {
	p.m.w.t.Helper()
	pid := p.inner()
	p.signal(syscall.SIGKILL)
	p.m.w.until("the program ends", func() bool { return syscall.Kill(pid, 0) != nil })
}

// until waits for something to become true.
func (w *world) until(what string, f func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(w.t, "not in time", "%s", what)
		}
	}
}

// printed keeps what a program prints.
type printed struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func newPrinted() *printed { return &printed{more: make(chan struct{})} }

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.more)
	p.more = make(chan struct{})
	return p.buf.Write(b)
}

// text is what was printed, and what is closed when there is more.
func (p *printed) text() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String(), p.more
}
