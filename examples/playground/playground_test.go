package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/browsertest"
)

// TestPlayground uses the page as its visitors do, in one Chromium.
func TestPlayground(t *testing.T) {
	b := startBrowser(t)
	for name, test := range map[string]func(*testing.T, *browser){
		"modules":     testModules,
		"register":    testRegister,
		"excess":      testExcess,
		"segments":    testSegments,
		"remote":      testRemote,
		"settings":    testSettings,
		"transports":  testTransports,
		"time":        testTime,
		"kill":        testKill,
		"share":       testShare,
		"bad links":   testBadLinks,
		"bad input":   testBadInput,
		"hostile":     testHostile,
		"keyboard":    testKeyboard,
		"phone":       testPhone,
		"contrast":    testContrast,
		"light":       testLight,
		"policy":      testPolicy,
		"static":      testStatic,
		"screenshots": testScreenshots,
	} {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}

// testModules runs the tests of the modules that need no page, in this engine.
func testModules(t *testing.T, b *browser) {
	p := b.open(t, "")
	r := browsertest.Eval[struct {
		Checks   int
		Failures []string
	}](p.Tab, `import("./unit.js").then(m => m.run())`)
	require.Empty(t, r.Failures)
	require.Greater(t, r.Checks, 12000)
}

func testRegister(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Fill("#f-name", "beta")
	p.Fill("#f-port", "4711")
	require.Equal(t, "00 11 78 12 67 4d 00 00 06 00 05 00 04 62 65 74 61 00 00", browsertest.Eval[string](p.Tab, `document.querySelector("#hex").value`))
	require.Equal(t, []string{
		"length=17", "tag=120", "port=4711", "type=77", "protocol=0", "highest=6", "lowest=5", "name length=4", "name=beta", "extra length=0",
	}, p.fields("#draft"))
	p.Click("#compose button[type=submit]")
	require.Equal(t, []string{"tag=118", "result=0", "creation=1700000001"}, p.fields("#reply"))
	require.Contains(t, p.Text("#verdict"), "kept Registered with creation 1700000001")
	require.Equal(t, "beta type 77 · protocol 0 · versions 5–6 4711 1700000001 connection 1", p.Text("#registry tbody tr"))
	require.Contains(t, p.Text("#conns"), "local · holds beta")

	p.Click("#compose button[type=submit]") // once more: the name is taken
	require.Equal(t, []string{"tag=118", "result=1", "creation=99"}, p.fields("#reply"))
	require.Contains(t, p.Text("#verdict"), "Refused: the name is already registered.")
	require.Contains(t, p.Text("#conns"), "refused local · open, holds nothing")
	require.Equal(t, "1 node", p.Text("#count"))

	p.Click(`[data-conn="1"] button`) // the node goes, and its name is remembered
	require.Equal(t, "0 nodes", p.Text("#count"))
	require.Contains(t, p.Text("#registry .old"), "beta")
	p.Click("#compose button[type=submit]")
	require.Equal(t, []string{"tag=118", "result=0", "creation=1700000002"}, p.fields("#reply"))
}

func testExcess(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Fill("#hex", "00016e 00")
	require.Equal(t, []string{"length=1", "tag=110", "excess=1 byte"}, p.fields("#draft"))
	require.Equal(t, "More bytes than the packet came in the read that made its length known.", p.Text("#trouble"))
	p.Keys(kb.Enter)
	require.Contains(t, p.Text("#verdict"), "closed Closed unanswered: packet: length is followed by more bytes than it announces.")
	require.Empty(t, p.fields("#reply"))

	p.Click(`#draft button.gap[data-at="3"]`) // in a segment of its own it harms nobody
	require.Equal(t, "00 01 6e | 00", browsertest.Eval[string](p.Tab, `document.querySelector("#hex").value`))
	require.Equal(t, "NAMES_REQ, 4 bytes in 2 segments", p.Text("#trouble"))
	p.Click("#compose button[type=submit]")
	require.Contains(t, p.Text("#verdict"), "The daemon answers 0 lines")
	require.Equal(t, []string{"epmd’s port=4369"}, p.fields("#reply"))
	require.Contains(t, p.Text("#log"), "the connection is closed: nobody reads")
}

func testSegments(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Fill("#hex", "00 06 7a | 61 6c")
	p.Keys(kb.Enter)
	require.Contains(t, p.Text("#verdict"), "The daemon has 5 bytes and waits for more.")
	require.Equal(t, "1", browsertest.Eval[string](p.Tab, `document.querySelector("#target").value`)) // the rest goes there
	require.Equal(t, 5, browsertest.Eval[int](p.Tab, `document.querySelectorAll("#draft .byte.sent").length`))
	require.Contains(t, p.Text("#conns"), "5 bytes so far · reads 3 at most · 60 s left")
	p.Fill("#hex", "70 68 61")
	require.Equal(t, []string{"length=6", "tag=122", "name=alpha"}, p.fields("#draft"))
	p.Keys(kb.Enter)
	require.Equal(t, []string{"tag=119", "result=1"}, p.fields("#reply"))
}

func testRemote(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Choose("#target", "remote")
	p.Click("#compose button[type=submit]")
	require.Contains(t, p.Text("#verdict"), "Closed unanswered: the request is allowed to local peers only.")
	require.Equal(t, "0 nodes", p.Text("#count"))
	p.Click("#open-remote")
	require.Contains(t, p.Text(`[data-conn="2"]`), "reading remote")
	p.Click(`.kinds label:nth-of-type(3)`) // anybody may list
	p.Choose("#target", "2")
	p.Click("#compose button[type=submit]")
	require.Equal(t, []string{"epmd’s port=4369"}, p.fields("#reply"))
}

// testSettings: a setting plays the same conversation again, to another end.
func testSettings(t *testing.T, b *browser) {
	p := b.open(t, "#1.l.1=00127823294d00000600050005616c7068610000.l.2=000673616c706861")
	require.Contains(t, p.Text("#verdict"), "Closed unanswered: the request needs the relaxed command check.")
	require.Equal(t, "1 node", p.Text("#count"))
	p.Click("#s-relaxed")
	require.Contains(t, p.Text("#verdict"), "The daemon answers STOPPED, and closes the connection. Connection 1 is closed.")
	require.Equal(t, "0 nodes", p.Text("#count"))
	require.True(t, strings.HasPrefix(browsertest.Eval[string](p.Tab, `location.hash`), "#1.relaxed.l."))
	p.Fill("#s-port", "0")
	p.Keys(kb.Tab)
	require.Equal(t, "This is a number from 1 to 65535.", p.Text("#alert"))
}

// testTransports: one node, two transports on one connection, and a third on another.
func testTransports(t *testing.T, b *browser) {
	p := b.open(t, "")
	kinds := func() int {
		return browsertest.Eval[int](p.Tab, `[...document.querySelectorAll(".kinds label")].filter(l => l.offsetWidth > 0).length`)
	}
	p.Fill("#hex", "00 01 4e")
	require.Equal(t, "The daemon takes this request only with several transports on.", p.Text("#trouble"))
	require.Equal(t, 6, kinds())
	p.Click("#s-multi")
	require.Equal(t, 12, kinds())
	require.Equal(t, "#1.multi", browsertest.Eval[string](p.Tab, `location.hash`))
	require.Equal(t, "NAMES3_REQ, 3 bytes", p.Text("#trouble"))

	p.Click(`.kinds [title=ALIVE3_REQ]`)
	p.Fill("#f-transport", "uds")
	require.Equal(t, []string{
		"length=21", "tag=88", "port=9001", "type=77", "transport length=3", "transport=uds", "highest=6", "lowest=5", "name length=5", "name=alpha", "extra length=0",
	}, p.fields("#draft"))
	p.Click("#compose button[type=submit]")
	require.Equal(t, []string{"length=6", "tag=118", "result=0", "creation=1700000001"}, p.fields("#reply"))
	require.Contains(t, p.Text("#conns"), "holds alpha by uds · takes more")

	p.Choose("#target", "1")
	require.Contains(t, p.Text("#trouble"), "ALIVE3_REQ, 23 bytes") // as one more
	p.Click("#compose button[type=submit]")
	require.Contains(t, p.Text("#verdict"), "Refused: the name is already registered. The connection stays open.")
	p.Fill("#hex", "00 15 58 23 2a 4d 03 74 | 6c 73 00 06 00 05 00 05 61 6c 70 68 61 00 00 00 16 58") // and a part of another
	p.Keys(kb.Enter)
	require.Equal(t, []string{"length=6", "tag=118", "result=0", "creation=1700000001"}, p.fields("#reply"))
	require.Contains(t, p.Text("#conns"), "holds alpha by uds, tls · takes more, 3 bytes so far")
	require.Equal(t, 3, browsertest.Eval[int](p.Tab, `document.querySelectorAll("#draft .byte.sent").length`))
	rows := browsertest.Eval[[]string](p.Tab, `[...document.querySelectorAll("#registry tbody tr")].map(r => r.innerText.replace(/\s+/g, " ").trim())`)
	require.Equal(t, []string{"alpha type 77 · 2 transports · versions 5–6 1700000001", "uds 9001 connection 1", "tls 9002 connection 1"}, rows)

	p.Choose("#target", "remote")
	p.Click(`.kinds [title=PORT_PLEASE3_REQ]`)
	p.Fill("#f-transports", "tls, inet_tcp")
	require.Equal(t, []string{
		"length=24", "tag=90", "nothing=0", "transports=2", "list length=13", "transport length=3", "transport=tls", "transport length=8", "transport=inet_tcp",
		"name length=5", "name=alpha",
	}, p.fields("#draft"))
	p.Click("#compose button[type=submit]")
	require.Contains(t, p.Text("#verdict"), "The daemon answers port 9002 tls, and closes the connection.")
	require.Contains(t, p.fields("#reply"), "transport=tls")
	relaxed := strings.Replace(browsertest.Eval[string](p.Tab, `location.hash`), "#1.", "#1.relaxed.", 1)
	for title, want := range map[string]string{
		"NAMES3_REQ": "1 line", "DUMP3_REQ": "1 line", "STOP3_REQ": "STOPPED, and closes the connection. Connection 1 is closed", "KILL3_REQ": "the daemon has ended",
	} {
		again := b.open(t, relaxed)
		again.Click(fmt.Sprintf(".kinds [title=%s]", title))
		again.Choose("#target", "local")
		again.Click("#compose button[type=submit]")
		require.Contains(t, again.Text("#verdict"), want, title)
		require.Equal(t, "length", strings.Split(again.fields("#reply")[0], "=")[0], title)
	}

	p.Click("#s-multi") // the conversation again, to a daemon that knows none of it
	require.Equal(t, "0 nodes", p.Text("#count"))
	require.Equal(t, 6, kinds())
	require.Equal(t, "lookup", browsertest.Eval[string](p.Tab, `document.querySelector("input[name=kind]:checked").value`))
	require.Equal(t, "PORT_PLEASE2_REQ, 8 bytes", p.Text("#trouble"))
}

func testTime(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Click("#open-local")
	require.Contains(t, p.Text("#conns"), "60 s left")
	p.Click(`[data-advance="10"]`)
	require.Contains(t, p.Text("#conns"), "50 s left")
	require.Equal(t, "2023-11-14 22:13:30 UTC", p.Text("#clock"))
	p.Click(`[data-advance="60"]`)
	require.Contains(t, p.Text("#conns"), "closed local")
	require.Contains(t, p.Text("#log"), "connection 1 was too slow and is closed")
}

func testKill(t *testing.T, b *browser) {
	p := b.open(t, "#1.l.1=00016b")
	require.Contains(t, p.Text("#verdict"), "ended Answered, and the daemon has ended.")
	p.Click("#compose button[type=submit]")
	require.Contains(t, p.Text("#verdict"), "nobody answers: the daemon has ended")
	p.Click("#reset")
	p.Click("#compose button[type=submit]")
	require.Equal(t, []string{"text=OK"}, p.fields("#reply"))
}

// whole is all of the page that a conversation decides.
const whole = `["#verdict", "#reply", "#registry", "#conns", "#clock", "#log", "#draft"].map(s => document.querySelector(s).innerText).join("\n")`

func testShare(t *testing.T, b *browser) {
	first := b.open(t, "")
	for _, title := range browsertest.Eval[[]string](first.Tab, `[...document.querySelectorAll("#examples button")].map(b => b.textContent)`) {
		first.example(title)
		hash := browsertest.Eval[string](first.Tab, `location.hash`)
		require.Greater(t, len(hash), 10, title)
		second := b.open(t, hash)
		require.Equal(t, browsertest.Eval[string](first.Tab, whole), browsertest.Eval[string](second.Tab, whole), title)
		require.Equal(t, hash, browsertest.Eval[string](second.Tab, `location.hash`), title)
	}
	first.Click("#reset")
	require.Equal(t, "#1.multi", browsertest.Eval[string](first.Tab, `location.hash`)) // settings stay
	first.example("Name taken")
	first.Click("#reset")
	require.Empty(t, browsertest.Eval[string](first.Tab, `location.hash`))
	browsertest.Eval[any](first.Tab, `void (location.hash = "1.l.1=00016e")`) // a link pasted over this page
	first.Wait(`document.querySelector("#verdict").textContent.includes("0 lines")`)
}

func testBadLinks(t *testing.T, b *browser) {
	p := b.open(t, "#2.l")
	alarm := func() string { return p.Text("#alert") }
	require.Equal(t, "The link’s conversation cannot be played: it does not begin with “1.”, its version. This is a fresh daemon.", alarm())
	for _, bad := range []string{"1.l.2=00", "1.l.1=0", "%00", "1.port=0", "1.<script>alert(1)</script>", "1" + strings.Repeat(".l", 200)} {
		p.Click("#compose button[type=submit]") // the page works all the same
		require.Contains(t, p.Text("#verdict"), "Registered", bad)
		require.Empty(t, alarm())
		browsertest.Eval[any](p.Tab, fmt.Sprintf(`void (location.hash = %q)`, bad))
		p.Wait(`document.querySelector("#alert").textContent.startsWith("The link’s conversation cannot be played: ")`)
		require.Equal(t, "0 nodes", p.Text("#count"))
	}
}

func testBadInput(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Fill("#f-port", "65536")
	require.Equal(t, "port is a number from 0 to 65535.", p.Text("#trouble"))
	p.Keys(kb.Enter) // is not sent
	require.Equal(t, "Nothing has been sent yet.", p.Text("#verdict"))
	p.Fill("#hex", "00 0g")
	require.Equal(t, "“g” is no hex digit.", p.Text("#trouble"))
	p.Keys(kb.Enter)
	require.Equal(t, "Nothing has been sent yet.", p.Text("#verdict"))
	require.Equal(t, "None is open.", p.Text("#conns"))
}

// testHostile: names are text, whatever they hold.
func testHostile(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Fill("#f-name", `<img src=x onerror="throw 1">`)
	p.Click("#compose button[type=submit]")
	p.Click(`.kinds label:nth-of-type(4)`)
	p.Click("#compose button[type=submit]")
	p.Click("#log li:last-child summary")
	require.Contains(t, p.Text("#registry"), `<img src=x onerror="throw 1">`)
	require.Contains(t, p.fields("#reply"), `name=<img src=x onerror="throw 1">`)
	require.Zero(t, browsertest.Eval[int](p.Tab, `document.querySelectorAll("main img, main script").length`))

	turned := b.open(t, "#1.l.1=00147823294d0000060005000761e280ae620a630000") // turns the line around, and breaks it
	require.Contains(t, turned.Text("#registry"), `a\u{202e}b\u{a}c`)
}

// testKeyboard uses nothing but keys, and looks at each stop of the tab key.
func testKeyboard(t *testing.T, b *browser) {
	p := b.open(t, "")
	const stop = `(e => {
		const s = getComputedStyle(e), label = e.closest("label") ?? document.querySelector("label[for=" + (e.id || "none") + "]");
		const seen = s.outlineStyle !== "none" || getComputedStyle(e.nextElementSibling ?? e).outlineStyle !== "none";
		const name = e.getAttribute("aria-label") ?? (label?.textContent || e.textContent);
		return { ID: e.id || e.className || e.name || e.tagName, Seen: seen, Name: name.trim() };
	})(document.activeElement)`
	var order []string
	tabTo := func(id string) {
		for range 60 {
			p.Keys(kb.Tab)
			at := browsertest.Eval[struct {
				ID, Name string
				Seen     bool
			}](p.Tab, stop)
			require.True(t, at.Seen, "the focus on %s is not seen", at.ID)
			require.NotEmpty(t, at.Name, "%s has no name", at.ID)
			order = append(order, at.ID)
			if at.ID == id {
				return
			}
		}
		require.Fail(t, "the tab key never reaches "+id, "%v", order)
	}
	tabTo("f-name")
	p.Keys("gamma" + kb.Enter) // the name was selected by the tab key
	require.Contains(t, p.Text("#registry tbody tr"), "gamma")
	tabTo("hex")
	p.Keys(kb.Enter)
	require.Contains(t, p.Text("#verdict"), "Refused")
	tabTo("target")
	tabTo("primary")
	tabTo("gap")
	p.Keys(kb.ArrowRight + kb.ArrowRight + kb.Enter)
	require.Equal(t, "00 12 78 | 23 29", browsertest.Eval[string](p.Tab, `document.querySelector("#hex").value.slice(0, 16)`))
	require.Equal(t, "3", browsertest.Eval[string](p.Tab, `document.activeElement.dataset.at`)) // the focus stays
	p.Keys(kb.ArrowLeft + " ")
	require.Equal(t, "00 12 | 78 | 23", browsertest.Eval[string](p.Tab, `document.querySelector("#hex").value.slice(0, 15)`))
	tabTo("small") // to close a connection
	p.Keys(kb.Enter)
	require.Equal(t, "0 nodes", p.Text("#count"))
	for _, id := range []string{"f-port", "f-type", "f-protocol", "f-highest", "f-lowest", "f-extra", "f-tail"} {
		require.Contains(t, order, id)
	}
}

// testPhone: on the narrowest of phones nothing makes the page go sideways.
func testPhone(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.Do(chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
	narrow := func(when string) {
		require.Equal(t, 320, browsertest.Eval[int](p.Tab, `innerWidth`), when)
		require.LessOrEqual(t, browsertest.Eval[int](p.Tab, `document.documentElement.scrollWidth`), 320, when)
		wide := browsertest.Eval[[]string](p.Tab, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > 320 && !e.matches(".unseen")).map(e => e.outerHTML.slice(0, 120))`)
		require.Empty(t, wide, when)
	}
	narrow("at first")
	for _, title := range browsertest.Eval[[]string](p.Tab, `[...document.querySelectorAll("#examples button")].map(b => b.textContent)`) {
		p.example(title)
		browsertest.Eval[any](p.Tab, `document.querySelectorAll("#log details").forEach(d => d.open = true)`)
		p.Wait(`[...document.querySelectorAll("#log details")].every(d => d.childElementCount === 2)`)
		narrow(title)
		browsertest.Eval[any](p.Tab, `document.querySelectorAll("button.more").forEach(b => b.click())`)
		narrow(title + ", all bytes")
	}
}

// testContrast: in both schemes, text stands out from what is behind it by 4.5 to
// 1 or more.
func testContrast(t *testing.T, b *browser) {
	p := b.open(t, "")
	for _, scheme := range []string{"light", "dark"} {
		p.Do(browsertest.EmulateScheme(scheme))
		for _, title := range []string{"Register and look up", "Name taken", "An excess byte closes", "Byte by byte", "Several transports", "A transport ends alone"} {
			p.example(title)
			require.Empty(t, browsertest.Eval[[]string](p.Tab, browsertest.Faint), "%s: %s", scheme, title)
		}
	}
}

// testLight: the page itself, without the module, is less than 60 kB to load.
func testLight(t *testing.T, b *browser) {
	p := b.open(t, "")
	sizes := browsertest.Eval[map[string]int](p.Tab, `Object.fromEntries([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map(e => [e.name, e.encodedBodySize]))`)
	total := 0
	for name, size := range sizes {
		require.Positive(t, size, name)
		if !strings.HasSuffix(name, ".wasm") {
			total += size
		}
	}
	require.Greater(t, len(sizes), 10)
	require.Less(t, total, 60_000)
	t.Logf("%d files, %d bytes without the module", len(sizes), total)
}

// testPolicy: the page cannot reach anybody else, and such an attempt would not go
// unnoticed by these tests.
func testPolicy(t *testing.T, b *browser) {
	p := b.open(t, "")
	require.Empty(t, p.Taken())
	require.True(t, browsertest.Eval[bool](p.Tab, `fetch("http://127.0.0.1:9/").then(() => false, () => true)`))
	require.NotEmpty(t, p.Taken())
	browsertest.Eval[any](p.Tab, `document.body.append(Object.assign(document.createElement("script"), {textContent: "document.title = 'inline'"}))`)
	require.Equal(t, "EPMD playground", browsertest.Eval[string](p.Tab, `document.title`))
	require.NotEmpty(t, p.Taken())
}

// testStatic: the files work on a server that knows nothing of them.
func testStatic(t *testing.T, b *browser) {
	dir := filepath.Join(t.TempDir(), "site")
	s, err := buildSite(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.write(dir))
	other := &browser{ctx: b.ctx, base: static(t, dir)}
	p := other.open(t, "#1.l.1=00016e")
	require.Equal(t, []string{"epmd’s port=4369"}, p.fields("#reply"))
}

// testScreenshots writes the pictures of the documentation, if
// GOEPMD_SCREENSHOTS names a folder for them.
func testScreenshots(t *testing.T, b *browser) {
	dir := os.Getenv("GOEPMD_SCREENSHOTS")
	if dir == "" {
		t.Skip("GOEPMD_SCREENSHOTS names no folder to write pictures to")
	}
	shoot := func(p *tab, name string) {
		picture := p.Picture()
		require.Less(t, len(picture), 300_000)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), picture, 0o644))
	}
	p := b.open(t, "")
	p.example("A restart bumps the creation")
	shoot(p, "playground.png")
	phone := b.open(t, "")
	phone.Do(chromedp.EmulateViewport(320, 640, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch))
	phone.example("Register and look up")
	browsertest.Eval[any](phone.Tab, `document.querySelector(".answer").scrollIntoView()`)
	shoot(phone, "playground-phone.png")
}

// TestServe: the server gives what the page is made of, and nothing else.
func TestServe(t *testing.T) {
	s := make(site)
	require.NoError(t, s.add("index.html", []byte("<p>hello")))
	require.NoError(t, s.add("epmd.mjs", []byte("export {}")))
	base := listen(t, s)
	for path, want := range map[string][3]string{
		"":            {"200 OK", "text/html; charset=utf-8", "<p>hello"},
		"index.html":  {"200 OK", "text/html; charset=utf-8", "<p>hello"},
		"epmd.mjs":    {"200 OK", "text/javascript; charset=utf-8", "export {}"},
		"main.go":     {"404 Not Found", "text/plain; charset=utf-8", "404 page not found\n"},
		"../go.mod":   {"404 Not Found", "text/plain; charset=utf-8", "404 page not found\n"},
		"%2e%2e/a.js": {"404 Not Found", "text/plain; charset=utf-8", "404 page not found\n"},
	} {
		resp, err := http.Get(base + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, [3]string{resp.Status, resp.Header.Get("Content-Type"), string(body)}, path)
	}
}
