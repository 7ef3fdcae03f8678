package epmdhttp_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmdhttp"
	"github.com/goepmd/goepmd/internal/browsertest"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// row is the texts of a node's row, which is undefined until there is one.
func row(name string) string {
	return fmt.Sprintf(`document.querySelector('tr[data-name="%s"]')?.innerText.replace(/\s+/g, " ").trim()`, name)
}

// names are the nodes that are shown, in order.
func names(p *browsertest.Tab) []string { return p.Texts("tbody .name") }

// TestPage looks at a daemon in a browser.
func TestPage(t *testing.T) {
	browser := browsertest.Start(t)
	for name, test := range map[string]func(*testing.T, *site, *browsertest.Tab){
		"nodes":      testNodes,
		"transports": testTransports,
		"filter":     testFilter,
		"sort":       testSort,
		"copy":       testCopy,
		"keyboard":   testKeyboard,
		"pause":      testPause,
		"hostile":    testHostile,
		"many":       testMany,
		"trouble":    testTrouble,
		"rates":      testRates,
		"contrast":   testContrast,
		"phone":      testPhone,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, epmdhttp.Options{Version: "1.2.3"})
			width, height := int64(1280), int64(900)
			if name == "phone" {
				width, height = 360, 740
			}
			test(t, s, browsertest.Open(t, browser, s.url, "", width, height))
		})
	}
	t.Run("lost", func(t *testing.T) { testLost(t, browser) })
}

// TestPageWithErlang sees a real node appear, and disappear when it is killed, without a
// reload.
func TestPageWithErlang(t *testing.T) {
	otptest.Erl(t)
	s := newSite(t, epmdhttp.Options{})
	p := browsertest.Open(t, browsertest.Start(t), s.url, "", 1280, 900)
	require.Equal(t, "No node is registered.", p.Text("#none"))
	browsertest.Eval[any](p, `window.stays = "as it was"`)

	node := otptest.StartNode(t, otptest.NodeConfig{Name: "seen@127.0.0.1", Port: s.Port()})
	p.Wait(row("seen") + ` !== undefined`)
	registered, err := s.Client().Lookup(t.Context(), "seen")
	require.NoError(t, err)
	creation := node.Eval(`erlang:system_info(creation)`)
	require.Regexp(t, fmt.Sprintf(`^seen ?copy %d node 5–6 %s \d+ s 127\.0\.0\.1:\d+$`, registered.Port, creation), browsertest.Eval[string](p, row("seen")))
	require.Equal(t, "1 node", p.Text("#shown"))
	p.Wait(`document.querySelector("#events li.registered .name")?.innerText === "seen"`)

	node.Kill()
	p.Wait(row("seen") + ` === undefined`)
	p.Wait(`document.querySelector("#events li.unregistered .name")?.innerText === "seen"`)
	require.Regexp(t, `unregistered · its connection ended · from 127\.0\.0\.1:\d+`, p.Text("#events li.unregistered"))
	require.Equal(t, "No node is registered.", p.Text("#none"))
	require.Equal(t, "as it was", browsertest.Eval[string](p, `window.stays`), "the page was not loaded again")
}

// testNodes: each fact of a node has its place.
func testNodes(t *testing.T, s *site, p *browsertest.Tab) {
	require.Equal(t, "listens on "+s.Addr, p.Text("#about"))
	require.Equal(t, "EPMD "+s.Addr, browsertest.Eval[string](p, "document.title"))
	require.Equal(t, "live", p.Text("#state"))
	require.Contains(t, p.Text("footer"), "goepmd 1.2.3")
	r, err := s.Client().Register(t.Context(), wire.Node{Name: "c1", Port: 9002, Type: wire.NodeTypeHidden, Highest: 5, Lowest: 5, Extra: "\x01\xff"})
	require.NoError(t, err)
	defer r.Close()
	p.Wait(row("c1") + ` !== undefined`)
	require.Regexp(t, fmt.Sprintf(`^c1 ?copy 9002 hidden node 5 %d \d+ s 127\.0\.0\.1:\d+$`, r.Creation()), browsertest.Eval[string](p, row("c1")))
	require.Equal(t, "extra: 01ff", browsertest.Eval[string](p, `document.querySelector("[data-label=creation]").title`))
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, browsertest.Eval[string](p, `document.querySelector("tbody time").title`))
	p.Click("#exact")
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, p.Text("tbody time"))
	c, err := net.Dial("tcp", s.Addr)
	require.NoError(t, err)
	defer c.Close()
	packet, err := wire.Node{Name: "c1", Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = c.Write(packet) // and stays open
	require.NoError(t, err)
	p.Wait(`document.querySelector("#events li.refused .what")?.innerText.startsWith("refused · the name is taken · from 127.0.0.1:")`)
}

// testTransports: a node's transports come and go on their own.
func testTransports(t *testing.T, s *site, p *browsertest.Tab) {
	s.alive3(t, "inet_tcp", 9001)
	tls := s.alive3(t, "inet_tls", 9002)
	shown := `document.querySelector("tr[data-name=several] [data-label=port]")?.innerText.replace(/\s+/g, " ")`
	p.Wait(shown + ` === "9001inet_tcp 9002inet_tls"`)
	p.Wait(`document.querySelectorAll("#events li.registered").length === 2`)
	require.Equal(t, "1 node", p.Text("#shown"))
	p.Fill("#words", "inet_tls")
	require.Equal(t, []string{"several"}, names(p))
	fresh := browsertest.Eval[string](p, `document.querySelector("tr[data-name=several] [data-label=from]").innerText`)
	require.Contains(t, fresh, tls.LocalAddr().String())
	require.NoError(t, tls.Close())
	p.Wait(`document.querySelectorAll("#events li.unregistered").length === 1`)
	p.Fill("#words", "several")
	p.Wait(shown + ` === "9001inet_tcp"`)
	require.Contains(t, p.Text("#events li.unregistered"), "unregistered inet_tls · its connection ended · from "+tls.LocalAddr().String())
	require.Equal(t, "1 node", p.Text("#shown"))
}

func testFilter(t *testing.T, s *site, p *browsertest.Tab) {
	for i, name := range []string{"alpha", "beta", "gamma"} {
		s.Node(name, uint16(9001+i))
	}
	p.Wait(`document.querySelectorAll("tbody tr").length === 3`)
	require.Equal(t, "3 nodes", p.Text("#shown"))
	p.Fill("#words", "node A 9002")
	require.Equal(t, []string{"beta"}, names(p))
	require.Equal(t, "1 of 3 nodes", p.Text("#shown"))
	p.Fill("#words", "127.0.0.1")
	require.Len(t, names(p), 3)
	p.Fill("#words", "nowhere")
	require.Empty(t, names(p))
	require.Equal(t, "No node fits the filter.", p.Text("#none"))
	s.Node("nowhere-else", 1)
	p.Wait(row("nowhere-else") + ` !== undefined`)
	require.Equal(t, []string{"nowhere-else"}, names(p))
}

func testSort(t *testing.T, s *site, p *browsertest.Tab) {
	for i, name := range []string{"b", "c", "a"} {
		s.Node(name, uint16(9000-i))
		time.Sleep(2 * time.Millisecond) // so that they differ in it
	}
	p.Wait(`document.querySelectorAll("tbody tr").length === 3`)
	require.Equal(t, []string{"a", "c", "b"}, names(p), "the newest first")
	for _, click := range []struct {
		key, sort string
		want      []string
	}{
		{"since", "ascending", []string{"b", "c", "a"}},
		{"name", "ascending", []string{"a", "b", "c"}},
		{"name", "descending", []string{"c", "b", "a"}},
		{"port", "ascending", []string{"a", "c", "b"}},
	} {
		p.Click("th[data-key=" + click.key + "] button")
		require.Equal(t, click.want, names(p), click)
		require.Equal(t, []string{click.key + "=" + click.sort},
			browsertest.Eval[[]string](p, `[...document.querySelectorAll("th[aria-sort]")].map(e => e.dataset.key + "=" + e.ariaSort)`))
	}
}

// testCopy: one name, and all that is shown, with a clipboard and without one.
func testCopy(t *testing.T, s *site, p *browsertest.Tab) {
	s.Node("alpha", 9001)
	s.Node("beta", 9002)
	p.Wait(row("beta") + ` !== undefined`)
	browsertest.Eval[any](p, `Object.defineProperty(navigator, "clipboard", { value: { writeText: async (t) => { window.copied = t; } } })`)
	p.Click(`tr[data-name=alpha] .copy`)
	p.Wait(`document.querySelector("#said").innerText === "alpha copied"`)
	require.Equal(t, "alpha", browsertest.Eval[string](p, "copied"))
	require.Equal(t, "copied", p.Text(`tr[data-name=alpha] .copy`))
	p.Fill("#words", "beta")
	p.Click("#copy-all")
	p.Wait(`document.querySelector("#said").innerText === "1 node copied"`)
	require.Regexp(t, `^beta\t9002\tnode\t5-6\t\d+\t20\S+\t127\.0\.0\.1:\d+\n$`, browsertest.Eval[string](p, "copied"))

	s.Node("a\nb\tc\x1b[2J\u202e\u2028\U0001F600", 9003)
	p.Fill("#words", "9003")
	p.Click("tbody .copy")
	const harmless = `a\x{a}b\x{9}c\x{1b}[2J\x{202e}\x{2028}` + "\U0001F600"
	p.Wait(`window.copied.startsWith("a\\")`)
	require.Equal(t, harmless, browsertest.Eval[string](p, "copied"), "nothing that a shell would run")
	p.Click("#copy-all")
	p.Wait(`window.copied.endsWith("\n")`)
	require.Equal(t, []string{harmless, "9003"}, strings.Split(browsertest.Eval[string](p, "copied"), "\t")[:2])
	require.Equal(t, 1, strings.Count(browsertest.Eval[string](p, "copied"), "\n"))
	p.Fill("#words", "beta")

	browsertest.Eval[any](p, `navigator.clipboard.writeText = () => { throw new Error("not allowed"); };
		document.execCommand = (what) => { window.old = what + " " + document.getSelection(); return true; }`)
	p.Click(`tr[data-name=beta] .copy`)
	p.Wait(`document.querySelector("#said").innerText === "beta copied"`)
	require.Equal(t, "copy beta", browsertest.Eval[string](p, "window.old"))
	require.Equal(t, "copy the name beta", browsertest.Eval[string](p, "document.activeElement.ariaLabel"), "the focus stays")
}

// testKeyboard: what a mouse can do, keys can; and what is focused stays so when others
// come and go.
func testKeyboard(t *testing.T, s *site, p *browsertest.Tab) {
	s.Node("alpha", 9001)
	p.Wait(row("alpha") + ` !== undefined`)
	var met []string
	for range 14 {
		p.Keys(kb.Tab)
		met = append(met, browsertest.Eval[string](p, `(e => e.id || e.ariaLabel || e.innerText)(document.activeElement)`))
	}
	require.Equal(t, []string{"exact", "copy-all", "words", "name", "port", "type", "versions", "creation", "since", "from", "copy the name alpha", "pause", "nodes as JSON", "metrics"}, met)
	browsertest.Eval[any](p, `document.querySelector("tbody .copy").focus()`)
	s.Node("beta", 9002)
	p.Wait(row("beta") + ` !== undefined`)
	require.Equal(t, "copy the name alpha", browsertest.Eval[string](p, "document.activeElement.ariaLabel"))
}

func testPause(t *testing.T, s *site, p *browsertest.Tab) {
	p.Click("#pause")
	s.Node("alpha", 9001)
	p.Wait(row("alpha") + ` !== undefined`)
	require.Empty(t, p.Texts("#events li"))
	p.Click("#pause")
	require.Len(t, p.Texts("#events li"), 1)
}

// testHostile: a name is a text, whatever it is.
func testHostile(t *testing.T, s *site, p *browsertest.Tab) {
	for _, name := range []string{`<img src=x onerror=alert(1)>`, `"><script>window.bad=1</script>`, "a\nb\tc", strings.Repeat("ü", 200), "__proto__", "constructor"} {
		s.Node(name, 1)
	}
	p.Wait(`document.querySelectorAll("tbody tr").length === 6`)
	require.Contains(t, names(p), `<img src=x onerror=alert(1)>`)
	require.False(t, browsertest.Eval[bool](p, `"bad" in window || document.querySelector("tbody img, tbody script") !== null`))
	require.False(t, browsertest.Eval[bool](p, `document.documentElement.scrollWidth > innerWidth`))
}

// testMany: ten thousand nodes are no more rows than can be looked at, and all can be found.
func testMany(t *testing.T, s *site, p *browsertest.Tab) {
	const many = 10000
	releases := make([]func(), many)
	for i := range many {
		var err error
		_, releases[i], err = s.RegisterLocal(wire.Node{Name: fmt.Sprintf("node%05d", i), Port: uint16(i), Highest: 6, Lowest: 5})
		require.NoError(t, err)
	}
	p.Wait(`document.querySelector("#shown").innerText === "10,000 nodes"`)
	require.Len(t, names(p), 100)
	require.Equal(t, "Show more: 9,900 are left", p.Text("#more"))
	p.Click("#more")
	require.Len(t, names(p), 200)
	p.Fill("#words", "node04711")
	require.Equal(t, []string{"node04711"}, names(p))
	require.Equal(t, "1 of 10,000 nodes", p.Text("#shown"))
	releases[4711]()
	p.Wait(`document.querySelectorAll("tbody tr").length === 0`)
}

// testTrouble: what an operator may want to look at is said when it happens, and not
// before.
func testTrouble(t *testing.T, s *site, p *browsertest.Tab) {
	require.Empty(t, p.Texts("#trouble li"))
	c, err := net.Dial("tcp", s.Addr)
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	require.NoError(t, err)
	require.Error(t, s.Client().Stop(t.Context(), "nobody"))
	p.Wait(`document.querySelectorAll("#trouble li").length === 2`)
	require.Equal(t, []string{"1 closed for bytes that are no request: size", "1 request denied"}, p.Texts("#trouble li"))
}

// testRates: lookups and registrations are plotted.
func testRates(t *testing.T, s *site, p *browsertest.Tab) {
	s.Node("alpha", 9001)
	for range 50 {
		_, err := s.Client().Lookup(t.Context(), "alpha")
		require.NoError(t, err)
	}
	p.Wait(`document.querySelector("[data-tile=lookups]").innerText.includes("50 in all")`)
	require.Contains(t, p.Text("[data-tile=registrations]"), "a second · 1 in all")
	require.Regexp(t, `≤ [\d.]+ [µm]?s for 99 % · half ≤`, p.Text("[data-tile=latency]"))
	for _, name := range []string{"nodes", "lookups", "registrations", "latency"} {
		require.Regexp(t, `^[\d.]+,[\d.]+`, browsertest.Eval[string](p, fmt.Sprintf(`document.querySelector("[data-tile=%s] polyline").getAttribute("points")`, name)))
	}
}

// fill gives the page something of everything to show.
func fill(t *testing.T, s *site, p *browsertest.Tab) {
	t.Helper()
	for i, name := range []string{"couchdb", "ejabberd", "rabbit", "riak"} {
		s.Node(name, uint16(9001+i))
	}
	brief := s.Node("brief", 1)
	_, err := s.Client().Register(t.Context(), wire.Node{Name: "riak", Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
	require.Error(t, err)
	require.NoError(t, brief.Close())
	p.Wait(`document.querySelectorAll("tbody tr").length === 4 && document.querySelectorAll("#events li").length === 7 && document.querySelectorAll("#trouble li").length > 0`)
}

// testContrast: every text can be read, in both schemes, and also when the connection is
// lost.
func testContrast(t *testing.T, s *site, p *browsertest.Tab) {
	fill(t, s, p)
	browsertest.Eval[any](p, `document.querySelectorAll(".copy").forEach(e => { e.style.opacity = 1; })`)
	for _, scheme := range []string{"light", "dark"} {
		p.Do(browsertest.EmulateScheme(scheme))
		require.Empty(t, browsertest.Eval[[]string](p, browsertest.Faint), scheme)
	}
}

// testPhone: nothing has to be moved sideways, and each value has its label.
func testPhone(t *testing.T, s *site, p *browsertest.Tab) {
	fill(t, s, p)
	sideways := `document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth`
	require.False(t, browsertest.Eval[bool](p, sideways))
	require.Equal(t, `"port"`, browsertest.Eval[string](p, `getComputedStyle(document.querySelector("[data-label=port]"), "::before").content`))
	small := `[...document.querySelectorAll("button, input")].filter(e => e.checkVisibility() && e.type !== "checkbox" && e.getBoundingClientRect().height < 32).map(e => e.innerText)`
	require.Empty(t, browsertest.Eval[[]string](p, small), "fingers are not small")
	p.Fill("#words", strings.Repeat("w", 200))
	require.False(t, browsertest.Eval[bool](p, sideways))
}

// testLost: when the daemon is gone the page says so, and when one is back it goes on with
// what that one has.
func testLost(t *testing.T, browser context.Context) {
	first := newSite(t, epmdhttp.Options{})
	first.Node("old", 9001)
	second := newSite(t, epmdhttp.Options{})
	second.Node("new", 9002)

	listen := func(address string) net.Listener {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
		require.NoError(t, err)
		return l
	}
	serve := func(l net.Listener, h http.Handler) *http.Server {
		web := &http.Server{Handler: h, ReadHeaderTimeout: patience}
		ended := make(chan error, 1)
		go func() { ended <- web.Serve(l) }()
		t.Cleanup(func() {
			require.NoError(t, web.Close())
			require.ErrorIs(t, <-ended, http.ErrServerClosed)
		})
		return web
	}
	l := listen("127.0.0.1:0")
	address := l.Addr().String()
	web := serve(l, first.handler)
	p := browsertest.Open(t, browser, "http://"+address+"/", "", 1280, 900)
	p.Wait(row("old") + ` !== undefined`)
	require.Empty(t, p.Texts("#lost"))

	p.Allow("net::ERR_") // that it loses the connection, and cannot connect meanwhile
	require.NoError(t, web.Close())
	p.Wait(`!document.querySelector("#lost").hidden`)
	require.Regexp(t, `^The connection was lost at \d\d:\d\d:\d\d: what you see may be old\. Trying again…$`, p.Text("#lost"))
	require.Equal(t, "not connected", p.Text("#state"))
	require.Empty(t, browsertest.Eval[[]string](p, strings.Replace(browsertest.Faint, "seen > 40", "seen > 10", 1)))

	serve(listen(address), second.handler)
	p.Wait(row("new") + ` !== undefined`)
	p.Wait(`document.querySelector("#state").innerText === "live"`)
	require.Equal(t, []string{"new"}, names(p))
	require.Empty(t, p.Texts("#lost"))
}

// TestPictures writes the picture of the documentation, and others to look at, if
// GOEPMD_SCREENSHOTS names a folder for them.
func TestPictures(t *testing.T) {
	folder := os.Getenv("GOEPMD_SCREENSHOTS")
	if folder == "" {
		t.Skip("GOEPMD_SCREENSHOTS names no folder to write pictures to")
	}
	browser := browsertest.Start(t)
	s := newSite(t, epmdhttp.Options{Version: "1.0.0"})
	for i, name := range []string{"couchdb", "ejabberd", "rabbit", "rabbitmq-cli-2817", "riak", "shop_web", "shop_jobs", "metrics_1", "metrics_2", "router"} {
		s.Node(name, uint16(35000+1373*i))
	}
	r, err := s.Client().Register(t.Context(), wire.Node{Name: "c1", Port: 40021, Type: wire.NodeTypeHidden, Highest: 5, Lowest: 5})
	require.NoError(t, err)
	defer r.Close()
	tabs := map[string]*browsertest.Tab{
		"status":       browsertest.Open(t, browser, s.url, "", 1280, 720),
		"status-phone": browsertest.Open(t, browser, s.url, "", 390, 844),
	}
	look := func(until time.Time) {
		for n := 0; time.Now().Before(until); n++ {
			for range 20 + n%7*9 {
				_, err := s.Client().Lookup(t.Context(), "rabbit")
				require.NoError(t, err)
			}
			if n%15 == 14 {
				require.NoError(t, s.Node(fmt.Sprintf("remsh-%d", n), 41000).Close())
			}
			time.Sleep(60 * time.Millisecond)
		}
	}
	look(time.Now().Add(42 * time.Second))
	for scheme, suffix := range map[string]string{"light": "", "dark": "-dark"} {
		for name, tab := range tabs {
			tab.Do(browsertest.EmulateScheme(scheme))
			look(time.Now().Add(1500 * time.Millisecond))
			picture := tab.Picture()
			require.Less(t, len(picture), 250_000)
			require.NoError(t, os.WriteFile(filepath.Join(folder, name+suffix+".png"), picture, 0o644))
		}
	}
}
