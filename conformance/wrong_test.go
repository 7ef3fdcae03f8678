package conformance_test

import (
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
	// scenario is the one that must notice.
	scenario       string
	file, old, new string
}

var wrongs = []wrong{
	{"a creation that is not bumped", "creation-bump", "registry/creation.go", "c.counter = nextCounter(c.counter)", "c.counter += 0"},
	{"a creation that is bumped by two", "creation-bump", "registry/creation.go", "c.counter = nextCounter(c.counter)", "c.counter = nextCounter(c.counter) + 1"},
	{"a creation that does not begin with the time", "creation-first", "registry/creation.go", "nextCounter(uint32(now.Unix()))", "nextCounter(uint32(now.Unix()) + 1000)"},
	{"old nodes told a creation of 0", "creation-old-is-modulo", "registry/creation.go", "return counter%3 + 1", "return counter % 3"},
	{"the long reply for version 5", "alive-highest-5", "epmd/session/answer.go", "Highest >= wire.Highest32BitCreation", "Highest >= wire.Highest32BitCreation-1"},
	{"a record taken over and bumped", "oldnames-7", "registry/creation.go", "c = r.old.first\n", "c = r.old.first\n\t\tc.counter = nextCounter(c.counter)\n"},
	{"a record taken over one too early", "oldnames-5-d", "registry/creation.go", "case r.old.n > r.remember:", "case r.old.n >= r.remember:"},
	{"the newest record taken over", "oldnames-7", "registry/creation.go", "c = r.old.first\n", "c = r.old.last\n"},
	{"the first registered listed first", "names-order", "registry/creation.go", "r.live.pushFirst(c)", "r.live.pushLast(c)"},
	{"old names listed the newest first", "dump-old-order", "registry/release.go", "r.old.pushLast(c)", "r.old.pushFirst(c)"},
	{"old names not listed", "dump-old-bytes", "registry/lists.go", "b = wire.AppendOldLine(b, c.name, c.port, r.fd(c.owner))", "_ = c.name"},
	{"a list without the port", "names-empty", "registry/lists.go", "b := wire.AppendListPort(nil, port)\n\t\tb = slices.Grow(b, r.live.nameBytes+r.live.n*", "b := wire.AppendListPort(nil, port+1)\n\t\tb = slices.Grow(b, r.live.nameBytes+r.live.n*"},
	{"a NUL in a name accepted", "alive-nul-start", "wire/alive2.go", "if hasNUL(name) {\n\t\treturn Alive2Req{}", "if hasNUL(name) && len(name) == 0 {\n\t\treturn Alive2Req{}"},
	{"a name length that lies accepted", "alive-nlen-0", "wire/alive2.go", "if nlen+elen+alive2FixedLen > len(body) {\n\t\treturn Alive2Req{}, errAlive2ExtraLen\n\t}", "elen = min(elen, len(body)-nlen-alive2FixedLen)"},
	{"a name of 256 characters accepted", "utf8-256-of-2", "registry/refusal.go", "utf8.RuneCountInString(name) > wire.MaxNameChars", "utf8.RuneCountInString(name) > wire.MaxNameChars+1"},
	{"names counted in bytes", "utf8-255-of-2", "registry/refusal.go", "utf8.RuneCountInString(name) > wire.MaxNameChars", "len(name) > wire.MaxNameChars"},
	{"names that are not UTF-8 accepted", "alive-bad-utf8-1", "registry/refusal.go", "!utf8.ValidString(name)", "false && !utf8.ValidString(name)"},
	{"extra of 1021 bytes accepted", "alive-extra-len-1021", "registry/refusal.go", "len(extra) > wire.MaxExtraBytes", "len(extra) > wire.MaxExtraBytes+1"},
	{"an extra field forgotten", "clients-ergo-2-plain", "registry/record.go", "c.name, c.extra, c.kind, c.protocol = n.Name, n.Extra, n.Type", "c.name, c.extra, c.kind, c.protocol = n.Name, \"\", n.Type"},
	{"a taken name given twice", "alive-duplicate", "registry/registry.go", "stands := c != nil && c.registered\n", "stands := c != nil && c.registered && c.owner == o\n"},
	{"a refused connection closed at once", "kept-refused-taken", "epmd/session/answer.go", "Result{Verdict: Keep, Name: req.Name, Reply: resp.Append(b), Err: err}", "Result{Verdict: map[bool]Verdict{true: Keep, false: Close}[err == nil], Name: req.Name, Reply: resp.Append(b), Err: err}"},
	{"a name that outlives its connection", "kept-registered-then-names", "epmd/session/answer.go", "s.holds = true", "s.holds = false"},
	{"the last to wait first in line", "grace-order", "epmd/internal/engine/waiters.go", "of.PushBack(", "of.PushFront("},
	{"a wait that the holder's end does not end", "grace-holder-closes", "epmd/internal/engine/waiters.go", "e.Kind != registry.Unregistered", "e.Kind != registry.Registered"},
	{"a lookup of 255 characters answered", "port2-len-255", "wire/port2.go", "chars > MaxLookupChars", "chars > MaxLookupChars+1"},
	{"a trailing NUL kept in a lookup", "port2-len-254-nul", "wire/port2.go", "last >= 0 && r.Name[last] == 0", "last > 1000 && r.Name[last] == 0"},
	{"a lookup that does not forget", "port2-after-close", "registry/registry.go", "c == nil || !c.registered {\n\t\treturn wire.Node{}, false", "c == nil {\n\t\treturn wire.Node{}, false"},
	{"lookups closed without an answer for unknown names", "port2-not-found", "epmd/session/answer.go", "b = wire.Port2Resp{Result: 1}.Append(b)", "return s.close(nil)"},
	{"a byte too many passed over", "frame-plus-1", "wire/frame.go", "if err == nil && n > 0 && len(b) > n {", "if err == nil && n > 0 && len(b) > n && len(b) > n+1 {"},
	{"a packet of 3058 accepted", "frame-size-3058", "wire/frame.go", "body > MaxBodyLen {\n\t\treturn 0", "body > MaxBodyLen+1 {\n\t\treturn 0"},
	{"an early close after the length", "frame-segmented-alive", "epmd/session/session.go", "if s.need == 0 || len(packet) < s.need {", "if s.need > 0 && len(packet) == wire.HeaderLen {\n\t\treturn s.close(nil)\n\t}\n\tif s.need == 0 || len(packet) < s.need {"},
	{"KILL_REQ with living nodes", "kill-live-strict", "epmd/session/answer.go", "s.daemon.Registry.Len() == 0", "s.daemon.Registry.Len() < 2"},
	{"KILL_REQ that does not end it", "kill-empty-strict", "epmd/session/answer.go", "\t\tres.Verdict = StopDaemon\n", ""},
	{"STOP_REQ without the relaxed check", "stop-unknown-strict", "epmd/session/answer.go", "if !s.daemon.RelaxedCommandCheck {", "if false {"},
	{"STOP_REQ that leaves the connection", "stop-known", "epmd/session/answer.go", "res.Name, res.Evict = req.Name, owners", "res.Name = req.Name"},
	{"remote peers taken for local", "remote-alive-ipv4", "epmd/session/peer.go", "return remote.IsLoopback() ||", "return remote.IsValid() ||"},
	{"other loopback addresses taken for remote", "local-loopback-other", "epmd/session/peer.go", "return remote.IsLoopback() ||", "return remote == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || remote == netip.IPv6Loopback() ||"},
	{"a packet timeout that never comes", "timeout-5", "epmd/internal/epoll/loop_linux.go", "timeouts{wait: c.Limits.PacketTimeout}", "timeouts{wait: c.Limits.PacketTimeout << 20}"},
	{"a registered connection that times out", "timeout-registered", "epmd/internal/epoll/keepalive_linux.go", "func (e *Engine) probeLater(c *socket) {\n", "func (e *Engine) probeLater(c *socket) {\n\to := c.Owner\n\ttime.AfterFunc(2*time.Second, func() {\n\t\te.order(func() {\n\t\t\tif c := e.slots.find(o); c != nil {\n\t\t\t\te.finish(c, nil)\n\t\t\t}\n\t\t})\n\t})\n"},
	{"a tag answered that is none", "tag-200", "epmd/session/answer.go", "if !s.daemon.Dialect.Knows(tag) {", "if tag == 200 {\n\t\treturn s.list((*Daemon).names)\n\t}\n\tif !s.daemon.Dialect.Knows(tag) {"},
	{"-names that forgets its first line", "program-names-empty", "cmd/epmd/interact.go", "up and running on port", "up on port"},
}

// TestWrongDaemonsAreNoticed: a suite that fails nobody proves nothing. Each of these daemons
// is noticed by the scenario that is about what it does wrong, which the unchanged one passes.
func TestWrongDaemonsAreNoticed(t *testing.T) {
	otptest.Heavy(t)
	scenarios, err := conformance.Scenarios()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(wrongs), 38)
	right := build(t, nil)
	for _, w := range wrongs {
		at := slices.IndexFunc(scenarios, func(s conformance.Scenario) bool { return s.Name == w.scenario })
		require.GreaterOrEqual(t, at, 0, "there is no scenario %s", w.scenario)
		t.Run(strings.ReplaceAll(w.name, " ", "-"), func(t *testing.T) {
			t.Parallel() // to build one while another waits
			play := func(program string) conformance.Result {
				return conformance.Runner{}.One(t.Context(), conformance.Program("it", program), 0, scenarios[at])
			}
			res := play(right)
			require.Equal(t, conformance.Passed, res.Verdict, "the unchanged daemon: %s %v", res.Reason, res.Failure)
			res = play(build(t, w.change(t)))
			require.Equal(t, conformance.Failed, res.Verdict, "%s", res.Reason)
			t.Logf("%s: %s", w.scenario, res.Failure)
		})
	}
}

// TestWrongDaemonsFitTheCode: each line that is to be changed is there.
func TestWrongDaemonsFitTheCode(t *testing.T) {
	for _, w := range wrongs {
		w.change(t)
	}
}

// change gives the file with the line changed, by its path.
func (w wrong) change(t *testing.T) map[string]string {
	t.Helper()
	path, err := filepath.Abs("../" + w.file)
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(b), w.old), "%s does not hold exactly once: %s", w.file, w.old)
	return map[string]string{path: strings.Replace(string(b), w.old, w.new, 1)}
}

// build makes the program with files changed; the tree is not touched.
func build(t *testing.T, changed map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	replace := make(map[string]string)
	for path, text := range changed {
		replace[path] = filepath.Join(dir, "changed.go")
		require.NoError(t, os.WriteFile(replace[path], []byte(text), 0o600))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
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
