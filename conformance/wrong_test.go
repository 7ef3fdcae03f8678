package conformance_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/internal/otptest"
)

// wrong is a daemon that does one thing wrong: our own with a line changed.
type wrong struct {
	name string
	// area is where the suite must notice.
	area           string
	file, old, new string
}

var wrongs = []wrong{
	{"a creation that is not bumped", "creation", "registry/creation.go", "c.counter = nextCounter(c.counter)", "c.counter += 0"},
	{"a creation that is bumped by two", "creation", "registry/creation.go", "c.counter = nextCounter(c.counter)", "c.counter = nextCounter(c.counter) + 1"},
	{"a creation that does not begin with the time", "creation", "registry/creation.go", "nextCounter(uint32(now.Unix()))", "nextCounter(uint32(now.Unix()) + 1000)"},
	{"old nodes told a creation of 0", "creation", "registry/creation.go", "return counter%3 + 1", "return counter % 3"},
	{"the long reply for version 5", "alive2", "epmd/session/answer.go", "Highest >= wire.Highest32BitCreation", "Highest >= wire.Highest32BitCreation-1"},
	{"a record taken over and bumped", "oldnames", "registry/creation.go", "c = r.old.first\n", "c = r.old.first\n\t\tc.counter = nextCounter(c.counter)\n"},
	{"a record taken over one too early", "oldnames", "registry/creation.go", "case r.old.n > r.remember:", "case r.old.n >= r.remember:"},
	{"the newest record taken over", "oldnames", "registry/creation.go", "c = r.old.first\n", "c = r.old.last\n"},
	{"the first registered listed first", "names", "registry/creation.go", "r.live.pushFirst(c)", "r.live.pushLast(c)"},
	{"old names listed the newest first", "dump", "registry/release.go", "r.old.pushLast(c)", "r.old.pushFirst(c)"},
	{"old names not listed", "dump", "registry/lists.go", "b = wire.AppendOldLine(b, c.name, c.port, r.fd(c.owner))", "_ = c.name"},
	{"a list without the port", "names", "registry/lists.go", "b := wire.AppendListPort(nil, port)\n\t\tb = slices.Grow(b, r.live.nameBytes+r.live.n*", "b := wire.AppendListPort(nil, port+1)\n\t\tb = slices.Grow(b, r.live.nameBytes+r.live.n*"},
	{"a NUL in a name accepted", "alive2", "wire/alive2.go", "if hasNUL(name) {\n\t\treturn Alive2Req{}", "if hasNUL(name) && len(name) == 0 {\n\t\treturn Alive2Req{}"},
	{"a name length that lies accepted", "alive2", "wire/alive2.go", "if nlen+elen+alive2FixedLen > len(body) {\n\t\treturn Alive2Req{}, errAlive2ExtraLen\n\t}", "elen = min(elen, len(body)-nlen-alive2FixedLen)"},
	{"a name of 256 characters accepted", "utf8", "registry/refusal.go", "utf8.RuneCountInString(name) > wire.MaxNameChars", "utf8.RuneCountInString(name) > wire.MaxNameChars+1"},
	{"names counted in bytes", "utf8", "registry/refusal.go", "utf8.RuneCountInString(name) > wire.MaxNameChars", "len(name) > wire.MaxNameChars"},
	{"names that are not UTF-8 accepted", "utf8", "registry/refusal.go", "!utf8.ValidString(name)", "false && !utf8.ValidString(name)"},
	{"extra of 1021 bytes accepted", "alive2", "registry/refusal.go", "len(extra) > wire.MaxExtraBytes", "len(extra) > wire.MaxExtraBytes+1"},
	{"an extra field forgotten", "clients", "registry/record.go", "c.name, c.extra, c.kind, c.protocol = n.Name, n.Extra, n.Type", "c.name, c.extra, c.kind, c.protocol = n.Name, \"\", n.Type"},
	{"a taken name given twice", "alive2", "registry/registry.go", "stands := c != nil && c.registered\n", "stands := c != nil && c.registered && c.owner == o\n"},
	{"a refused connection closed at once", "kept", "epmd/session/answer.go", "Result{Verdict: Keep, Name: req.Name, Reply: resp.Append(b), Err: err}", "Result{Verdict: map[bool]Verdict{true: Keep, false: Close}[err == nil], Name: req.Name, Reply: resp.Append(b), Err: err}"},
	{"a name that outlives its connection", "kept", "epmd/session/answer.go", "s.holds = true", "s.holds = false"},
	{"the last to wait first in line", "grace", "epmd/internal/engine/waiters.go", "of.PushBack(", "of.PushFront("},
	{"a wait that the holder's end does not end", "grace", "epmd/internal/engine/waiters.go", "e.Kind != registry.Unregistered", "e.Kind != registry.Registered"},
	{"a lookup of 255 characters answered", "port2", "wire/port2.go", "chars > MaxLookupChars", "chars > MaxLookupChars+1"},
	{"a trailing NUL kept in a lookup", "port2", "wire/port2.go", "last >= 0 && r.Name[last] == 0", "last > 1000 && r.Name[last] == 0"},
	{"a lookup that does not forget", "port2", "registry/registry.go", "c == nil || !c.registered {\n\t\treturn wire.Node{}, false", "c == nil {\n\t\treturn wire.Node{}, false"},
	{"lookups closed without an answer for unknown names", "port2", "epmd/session/answer.go", "b = wire.Port2Resp{Result: 1}.Append(b)", "return s.close(nil)"},
	{"a byte too many passed over", "framing", "wire/frame.go", "if err == nil && n > 0 && len(b) > n {", "if err == nil && n > 0 && len(b) > n && len(b) > n+1 {"},
	{"a packet of 3058 accepted", "framing", "wire/frame.go", "body > MaxBodyLen {\n\t\treturn 0", "body > MaxBodyLen+1 {\n\t\treturn 0"},
	{"an early close after the length", "framing", "epmd/session/session.go", "if s.need == 0 || len(packet) < s.need {", "if s.need > 0 && len(packet) == wire.HeaderLen {\n\t\treturn s.close(nil)\n\t}\n\tif s.need == 0 || len(packet) < s.need {"},
	{"KILL_REQ with living nodes", "kill", "epmd/session/answer.go", "s.daemon.Registry.Len() == 0", "s.daemon.Registry.Len() < 2"},
	{"KILL_REQ that does not end it", "kill", "epmd/session/answer.go", "\t\tres.Verdict = StopDaemon\n", ""},
	{"STOP_REQ without the relaxed check", "stop", "epmd/session/answer.go", "if !s.daemon.RelaxedCommandCheck {", "if false {"},
	{"STOP_REQ that leaves the connection", "stop", "epmd/session/answer.go", "res.Name, res.Evict = req.Name, owners", "res.Name = req.Name"},
	{"remote peers taken for local", "local", "epmd/session/peer.go", "return remote.IsLoopback() ||", "return remote.IsValid() ||"},
	{"other loopback addresses taken for remote", "local", "epmd/session/peer.go", "return remote.IsLoopback() ||", "return remote == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || remote == netip.IPv6Loopback() ||"},
	{"a packet timeout that never comes", "timeout", "epmd/session/deadline.go", "if s.daemon.PacketTimeout > 0 {", "if s.daemon.PacketTimeout > 1<<50 {"},
	{"a registered connection that times out", "timeout", "epmd/session/session.go", "s.phase, s.need, s.buf, s.deadline, s.waits = p, 0, nil, time.Time{}, false", "s.phase, s.need, s.buf, s.waits = p, 0, nil, false"},
	{"a tag answered that is none", "tags", "epmd/session/answer.go", "if !s.daemon.Dialect.Knows(tag) {", "if tag == 200 {\n\t\treturn s.list((*Daemon).names)\n\t}\n\tif !s.daemon.Dialect.Knows(tag) {"},
	{"-names that forgets its first line", "program", "cmd/epmd/interact.go", "up and running on port", "up on port"},
}

// TestWrongDaemonsAreNoticed: a suite that fails nobody proves nothing. Each of these
// daemons is noticed by a scenario of the area that it is about.
func TestWrongDaemonsAreNoticed(t *testing.T) {
	otptest.Heavy(t)
	scenarios, err := conformance.Scenarios()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(wrongs), 20)
	for _, w := range wrongs {
		t.Run(strings.ReplaceAll(w.name, " ", "-"), func(t *testing.T) {
			t.Parallel() // to build one while another waits
			some := slices.DeleteFunc(slices.Clone(scenarios), func(s conformance.Scenario) bool { return s.Area != w.area })
			require.NotEmpty(t, some)
			ctx, enough := context.WithCancel(t.Context())
			defer enough()
			noticed := ""
			r := conformance.Runner{Parallel: 8, Progress: func(res conformance.Result) {
				if res.Verdict == conformance.Failed && noticed == "" {
					noticed = res.Scenario
					enough()
				}
			}}
			_, err := r.Run(ctx, conformance.Program("wrong", w.build(t)), 0, some)
			require.NotEmpty(t, noticed, "no scenario of area %s notices; %v", w.area, err)
			t.Logf("%s notices", noticed)
		})
	}
}

// TestWrongDaemonsFitTheCode: each line that is to be changed is there.
func TestWrongDaemonsFitTheCode(t *testing.T) {
	for _, w := range wrongs {
		w.change(t)
	}
}

// change gives the file with the line changed, and its path.
func (w wrong) change(t *testing.T) (path, text string) {
	t.Helper()
	path, err := filepath.Abs("../" + w.file)
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(b), w.old), "%s does not hold exactly once: %s", w.file, w.old)
	return path, strings.Replace(string(b), w.old, w.new, 1)
}

// build makes the program with the line changed; the tree is not touched.
func (w wrong) build(t *testing.T) string {
	t.Helper()
	path, text := w.change(t)
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	require.NoError(t, os.WriteFile(changed, []byte(text), 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, overlay, 0o600))
	program := filepath.Join(dir, "epmd")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", file, "-o", program, "../cmd/epmd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}
