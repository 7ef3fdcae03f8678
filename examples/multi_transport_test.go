package examples

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/otptest"
)

// TestMultiTransport runs the story, and reads what each connection was.
func TestMultiTransport(t *testing.T) {
	otptest.Heavy(t)
	otptest.Erl(t)
	otptest.SSL(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "./multi-transport/run.sh")
	cmd.Env = append(os.Environ(), fmt.Sprintf("PORT=%d", freePort(t)))
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	text := string(out)
	one := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(text)
		require.NotNil(t, found, "%s is not in:\n%s", pattern, text)
		return regexp.QuoteMeta(found[1])
	}
	certificate := one(`, certificate ([0-9a-f]{16})\n`)
	tcp, uds := one(`\nname s at port (\d+)#inet_tcp \d+#inet_tls \d+#uds\n`), one(`\nname s .* (\d+)#uds\n`)
	var ways []string
	for _, found := range regexp.MustCompile(`\npong\n  (.*)\n`).FindAllStringSubmatch(text, -1) {
		ways = append(ways, found[1])
	}
	want := []string{ // of k, and four times of m
		`^plain TCP, to 127\.0\.0\.1 port ` + tcp + `$`,
		`^plain TCP, to 127\.0\.0\.1 port ` + tcp + `$`,
		`^TLS, by tls_sender; it showed the certificate ` + certificate + `$`,
		`^a Unix socket, .*/uds/` + uds + `$`,
		`^TLS, by tls_sender; it showed the certificate ` + certificate + `$`,
	}
	require.Len(t, ways, len(want), "%s", text)
	for i, way := range ways {
		require.Regexp(t, want[i], way, "%s", text)
	}
}

// moduleFolder compiles the EPMD module with the local OTP; a warning is an error.
func moduleFolder(t *testing.T) string {
	t.Helper()
	otptest.Erl(t)
	dir := t.TempDir()
	sources, err := filepath.Glob("multi-transport/src/*.erl")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	out, err := exec.Command("erlc", append([]string{"-Wall", "-Werror", "-o", dir}, sources...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// TestMultiTransportDialyzer: dialyzer finds nothing in the modules, and does find a
// mistake in one that is added.
func TestMultiTransportDialyzer(t *testing.T) {
	otptest.Heavy(t)
	otptest.Dialyzer(t)
	otptest.SSL(t)
	wrong := filepath.Join(t.TempDir(), "wrong.erl")
	source := "-module(wrong).\n-export([it/0]).\nit() -> goepmd:choose(\"not a node\").\n"
	require.NoError(t, os.WriteFile(wrong, []byte(source), 0o600))
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "escript", "multi-transport/dialyze.escript", wrong).CombinedOutput()
	var status *exec.ExitError
	require.ErrorAs(t, err, &status, "%s", out)
	places := regexp.MustCompile(`(?m)^(\S+\.erl):\d+`).FindAllStringSubmatch(string(out), -1)
	require.NotEmpty(t, places, "%s", out)
	for _, place := range places {
		require.Equal(t, wrong, place[1], "%s", out)
	}
}

// fakeEPMD answers every request with the same bytes, or not at all.
type fakeEPMD struct {
	net.Listener
	asked  atomic.Int32
	answer atomic.Pointer[[]byte]
}

func newFakeEPMD(t *testing.T) *fakeEPMD {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := &fakeEPMD{Listener: ln}
	t.Cleanup(func() { require.NoError(t, ln.Close()) })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return // closed
			}
			f.asked.Add(1)
			go f.serve(c)
		}
	}()
	return f
}

func (f *fakeEPMD) serve(c net.Conn) {
	defer func() { _ = c.Close() }() // the other side knows
	_ = c.SetDeadline(time.Now().Add(patience))
	request := make([]byte, 1024)
	if _, err := c.Read(request); err != nil {
		return
	}
	if answer := f.answer.Load(); answer != nil {
		_, _ = c.Write(*answer) // what comes of it, the node shows
		return
	}
	_, _ = c.Read(request) // until the other side has had enough
}

func (f *fakeEPMD) says(answer string) {
	b := []byte(answer)
	f.answer.Store(&b)
}

// framed puts the length in front.
func framed(body string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(body)))) + body
}

// TestMultiTransportRubbish: whatever an EPMD answers, the node that asked lives, and
// does not connect; one that does not answer is not asked again for a while.
func TestMultiTransportRubbish(t *testing.T) {
	otptest.Heavy(t)
	dir := moduleFolder(t)
	f := newFakeEPMD(t)
	port := f.Addr().(*net.TCPAddr).Port
	n := otptest.StartNode(t, otptest.NodeConfig{
		Name: "r@127.0.0.1", Port: port,
		Args: []string{
			"-pa", dir, "-epmd_module", "goepmd", "-proto_dist", "goepmd_tcp", "goepmd_uds", "-dist_listen", "false",
			"-goepmd", "timeout", "1000", "silence", "600000",
		},
	})
	const node = "'x@127.0.0.1'"
	found := "w\x00\x00\x00\x01\x00\x0b\x11\x22\x08inet_tcpM\x00\x06\x00\x05\x00\x01x\x00\x00"
	f.says(framed(found))
	require.Equal(t, "{ok,inet_tcp,{127,0,0,1},4386}", n.Eval("goepmd:choose(%s)", node))
	for what, answer := range map[string]string{
		"nothing":                 "",
		"a byte":                  "\x00",
		"a length alone":          "\x00\x10",
		"an empty packet":         "\x00\x00",
		"another tag":             framed("q\x00"),
		"no result":               framed("w"),
		"not found":               framed("w\x01"),
		"no transport":            framed("w\x00\x00\x00\x00\x00\x00M\x00\x06\x00\x05\x00\x01x\x00\x00"),
		"a short list":            framed("w\x00\x00\x00\x02\x00\x0b\x11\x22\x08inet_tcpM\x00\x06\x00\x05"),
		"a list without an end":   framed("w\x00\x00\x00\x01\xff\xff\x11\x22\x08inet_tcp"),
		"another's transport":     framed("w\x00\x00\x00\x01\x00\x0b\x11\x22\x08inet_tlsM\x00\x06\x00\x05\x00\x01x\x00\x00"),
		"a socket that is absent": framed("w\x00\x00\x00\x01\x00\x06\x11\x22\x03udsM\x00\x06\x00\x05\x00\x01x\x00\x00"),
		"versions to come":        framed("w\x00\x00\x00\x01\x00\x0b\x11\x22\x08inet_tcpM\x00\x09\x00\x08\x00\x01x\x00\x00"),
		"a reply cut short":       framed(found)[:20],
		"HTTP":                    "HTTP/1.1 400 Bad Request\r\n\r\n",
	} {
		f.says(answer)
		require.Regexp(t, `^\{error,`, n.Eval("goepmd:choose(%s)", node), what)
		require.Equal(t, "pang", n.Eval("net_adm:ping(%s)", node), what)
		require.Regexp(t, `^\{(ok|error),`, n.Eval("net_adm:names(\"127.0.0.1\")"), what)
	}
	lines := "name a at port b at port 1#inet_tcp 2#inet_tls\nname x\nname broken at port none\nrubbish\nname c at port 3#\n"
	f.says(framed("\x00\x00\x00\x11\x11" + lines))
	require.Equal(t, `{ok,[{"a at port b",[{"inet_tcp",1},{"inet_tls",2}]},{"c",[{[],3}]}]}`, n.Eval("goepmd:list(\"127.0.0.1\")"))
	require.Equal(t, `{ok,[{"a at port b",1},{"c",3}]}`, n.Eval("net_adm:names(\"127.0.0.1\")"))

	f.answer.Store(nil)
	require.Equal(t, "{error,timeout}", n.Eval("goepmd:choose(%s)", node))
	asked := f.asked.Load()
	require.Equal(t, "{error,silent}", n.Eval("goepmd:choose(%s)", node))
	require.Equal(t, "pang", n.Eval("net_adm:ping(%s)", node))
	require.Equal(t, asked, f.asked.Load(), "it was asked again")
	require.Equal(t, "true", n.Eval("is_alive()"))
}
