package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/otptest/evalloop"
)

// cookie is that of all nodes which are not told another.
const cookie = "goepmd_lab"

// spec says how a node is started.
type spec struct {
	// name is for -name if it holds a dot behind the @, else for -sname. Empty is none.
	name string
	// image is "23", "27", "29" or another of the images; empty is this machine's OTP.
	image string
	// cookie is another than that of all; "-" is none at all, for args to tell.
	cookie string
	// port is for ERL_EPMD_PORT; zero leaves it to be the usual one.
	port int
	args []string
	env  []string
}

// node is a running node.
type node struct {
	*process
	name string
	loop *evalloop.Loop
}

// node starts a node, and waits until it is up.
func (m *machine) node(s spec) *node {
	m.w.t.Helper()
	n, err := m.tryNode(s)
	require.NoError(m.w.t, err, "node %s on %s:\n%s", s.name, m.name, n.loop.Printed())
	return n
}

// tryNode is node for one that may fail to start.
func (m *machine) tryNode(s spec) (*node, error) {
	m.w.t.Helper()
	args := m.erl(s, "-noshell")
	args = append(args, "-eval", evalloop.Erlang)
	cmd := m.command(context.Background(), args...)
	cmd.Env = append(cmd.Env, s.environment()...)
	stdin, err := cmd.StdinPipe()
	require.NoError(m.w.t, err)
	r, w, err := os.Pipe()
	require.NoError(m.w.t, err)
	cmd.Stdout, cmd.Stderr = w, w
	n := &node{process: &process{m: m, cmd: cmd, in: stdin}, loop: evalloop.Start(stdin, r)}
	require.NoError(m.w.t, cmd.Start())
	require.NoError(m.w.t, w.Close())
	m.w.programs = append(m.w.programs, cmd)
	m.w.ends = append(m.w.ends, func() {
		<-n.loop.Ended()
		_ = r.Close()  // it was only read
		_ = cmd.Wait() // how it ended does not matter
	})
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, fmt.Errorf("not up within %v", patience))
	defer cancel()
	n.name, err = n.loop.Ready(ctx)
	return n, err
}

// erl is the command line of a node.
func (m *machine) erl(s spec, args ...string) []string {
	m.w.t.Helper()
	all := []string{"erl"}
	if s.image != "" {
		all = append([]string{"chroot", m.root(s.image)}, all...)
	}
	all = append(all, args...)
	if s.name != "" {
		flag := "-sname"
		if _, host, _ := strings.Cut(s.name, "@"); strings.ContainsAny(host, ".:") {
			flag = "-name"
		}
		all = append(all, flag, s.name)
	}
	switch s.cookie {
	case "":
		all = append(all, "-setcookie", cookie)
	case "-":
	default:
		all = append(all, "-setcookie", s.cookie)
	}
	return append(all, s.args...)
}

func (s spec) environment() []string {
	env := append([]string{"ERL_CRASH_DUMP_BYTES=0"}, s.env...)
	if s.image != "" {
		env = append(env, "HOME=/root")
	}
	if s.port != 0 {
		env = append(env, "ERL_EPMD_PORT="+strconv.Itoa(s.port))
	}
	return env
}

// eval evaluates an expression, and gives its value as text.
func (n *node) eval(format string, args ...any) string {
	n.m.w.t.Helper()
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, fmt.Errorf("no answer within %v", patience))
	defer cancel()
	answer, err := n.loop.Eval(ctx, fmt.Sprintf(format, args...)+".")
	require.NoError(n.m.w.t, err, "%s: %s", n.name, n.loop.Printed())
	return answer
}

// root is the root folder of an image on this machine, with the machine's /etc.
func (m *machine) root(image string) string {
	m.w.t.Helper()
	if at := m.roots[image]; at != "" {
		return at
	}
	lower := imageRoot(m.w.t, image)
	at, over := filepath.Join(m.dir, "root-"+image), filepath.Join(m.dir, "over-"+image)
	for _, dir := range []string{at, over + "/upper", over + "/work"} {
		require.NoError(m.w.t, os.MkdirAll(dir, 0o755))
	}
	script := fmt.Sprintf(`set -e
mount -t overlay overlay -o lowerdir=%[1]s,upperdir=%[2]s/upper,workdir=%[2]s/work %[3]s
mount -t proc proc %[3]s/proc
mount --rbind /dev %[3]s/dev
mkdir -p %[3]s%[5]s/files
mount --bind %[5]s/files %[3]s%[5]s/files
for f in %[4]s; do rm -f %[3]s/etc/$f; : >%[3]s/etc/$f; mount --bind %[5]s/etc/$f %[3]s/etc/$f; done
`, lower, over, at, strings.Join(etcFiles, " "), m.dir)
	m.run(script, "sh")
	m.roots[image] = at
	return at
}

// epmd starts OTP's EPMD of this machine, and waits until it listens.
func (m *machine) epmd(args ...string) *process {
	m.w.t.Helper()
	p := m.start(nil, append([]string{otptest.Epmd(m.w.t), "-d", "-d"}, args...)...)
	p.await("entering the main select() loop")
	return p
}

// ours starts our EPMD, and waits until it answers.
func (m *machine) ours(args ...string) *process {
	m.w.t.Helper()
	p := m.start(nil, append([]string{built.epmd}, args...)...)
	m.w.until("our EPMD answers", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return m.command(ctx, append(slices.Insert(args, 0, built.epmd), "-started")...).Run() == nil
	})
	return p
}
