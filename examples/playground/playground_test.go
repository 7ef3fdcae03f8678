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
	r := eval[struct {
		Checks   int
		Failures []string
	}](p, `import("./unit.js").then(m => m.run())`)
	require.Empty(t, r.Failures)
	require.Greater(t, r.Checks, 7000)
}

func testRegister(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.fill("#f-name", "beta")
	p.fill("#f-port", "4711")
	require.Equal(t, "00 11 78 12 67 4d 00 00 06 00 05 00 04 62 65 74 61 00 00", eval[string](p, `document.querySelector("#hex").value`))
	require.Equal(t, []string{
		"length=17", "tag=120", "port=4711", "type=77", "protocol=0", "highest=6", "lowest=5", "name length=4", "name=beta", "extra length=0",
	}, p.fields("#draft"))
	p.click("#compose button[type=submit]")
	require.Equal(t, []string{"tag=118", "result=0", "creation=1700000001"}, p.fields("#reply"))
	require.Contains(t, p.text("#verdict"), "kept Registered with creation 1700000001")
	require.Equal(t, "beta type 77 · protocol 0 · versions 5–6 4711 1700000001 connection 1", p.text("#registry tbody tr"))
	require.Contains(t, p.text("#conns"), "local · holds beta")

	p.click("#compose button[type=submit]") // once more: the name is taken
	require.Equal(t, []string{"tag=118", "result=1", "creation=99"}, p.fields("#reply"))
	require.Contains(t, p.text("#verdict"), "Refused: the name is already registered.")
	require.Contains(t, p.text("#conns"), "refused local · open, holds nothing")
	require.Equal(t, "1 node", p.text("#count"))

	p.click(`[data-conn="1"] button`) // the node goes, and its name is remembered
	require.Equal(t, "0 nodes", p.text("#count"))
	require.Contains(t, p.text("#registry .old"), "beta")
	p.click("#compose button[type=submit]")
	require.Equal(t, []string{"tag=118", "result=0", "creation=1700000002"}, p.fields("#reply"))
}

func testExcess(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.fill("#hex", "00016e 00")
	require.Equal(t, []string{"length=1", "tag=110", "excess=1 byte"}, p.fields("#draft"))
	require.Equal(t, "More bytes than the packet came in the read that made its length known.", p.text("#trouble"))
	p.keys(kb.Enter)
	require.Contains(t, p.text("#verdict"), "closed Closed unanswered: packet: length is followed by more bytes than it announces.")
	require.Empty(t, p.fields("#reply"))

	p.click(`#draft button.gap[data-at="3"]`) // in a segment of its own it harms nobody
	require.Equal(t, "00 01 6e | 00", eval[string](p, `document.querySelector("#hex").value`))
	require.Equal(t, "NAMES_REQ, 4 bytes in 2 segments", p.text("#trouble"))
	p.click("#compose button[type=submit]")
	require.Contains(t, p.text("#verdict"), "The daemon answers 0 lines")
	require.Equal(t, []string{"epmd’s port=4369"}, p.fields("#reply"))
	require.Contains(t, p.text("#log"), "the connection is closed: nobody reads")
}

func testSegments(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.fill("#hex", "00 06 7a | 61 6c")
	p.keys(kb.Enter)
	require.Contains(t, p.text("#verdict"), "The daemon has 5 bytes and waits for more.")
	require.Equal(t, "1", eval[string](p, `document.querySelector("#target").value`)) // the rest goes there
	require.Equal(t, 5, eval[int](p, `document.querySelectorAll("#draft .byte.sent").length`))
	require.Contains(t, p.text("#conns"), "5 bytes so far · reads 3 at most · 60 s left")
	p.fill("#hex", "70 68 61")
	require.Equal(t, []string{"length=6", "tag=122", "name=alpha"}, p.fields("#draft"))
	p.keys(kb.Enter)
	require.Equal(t, []string{"tag=119", "result=1"}, p.fields("#reply"))
}

func testRemote(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.choose("#target", "remote")
	p.click("#compose button[type=submit]")
	require.Contains(t, p.text("#verdict"), "Closed unanswered: the request is allowed to local peers only.")
	require.Equal(t, "0 nodes", p.text("#count"))
	p.click("#open-remote")
	require.Contains(t, p.text(`[data-conn="2"]`), "reading remote")
	p.click(`.kinds label:nth-of-type(3)`) // anybody may list
	p.choose("#target", "2")
	p.click("#compose button[type=submit]")
	require.Equal(t, []string{"epmd’s port=4369"}, p.fields("#reply"))
}

// testSettings: a setting plays the same conversation again, to another end.
func testSettings(t *testing.T, b *browser) {
	p := b.open(t, "#1.l.1=00127823294d00000600050005616c7068610000.l.2=000673616c706861")
	require.Contains(t, p.text("#verdict"), "Closed unanswered: the request needs the relaxed command check.")
	require.Equal(t, "1 node", p.text("#count"))
	p.click("#s-relaxed")
	require.Contains(t, p.text("#verdict"), "The daemon answers STOPPED, and closes the connection. Connection 1 is closed.")
	require.Equal(t, "0 nodes", p.text("#count"))
	require.True(t, strings.HasPrefix(eval[string](p, `location.hash`), "#1.relaxed.l."))
	p.fill("#s-port", "0")
	p.keys(kb.Tab)
	require.Equal(t, "This is a number from 1 to 65535.", p.text("#alert"))
}

func testTime(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.click("#open-local")
	require.Contains(t, p.text("#conns"), "60 s left")
	p.click(`[data-advance="10"]`)
	require.Contains(t, p.text("#conns"), "50 s left")
	require.Equal(t, "2023-11-14 22:13:30 UTC", p.text("#clock"))
	p.click(`[data-advance="60"]`)
	require.Contains(t, p.text("#conns"), "closed local")
	require.Contains(t, p.text("#log"), "connection 1 was too slow and is closed")
}

func testKill(t *testing.T, b *browser) {
	p := b.open(t, "#1.l.1=00016b")
	require.Contains(t, p.text("#verdict"), "ended Answered, and the daemon has ended.")
	p.click("#compose button[type=submit]")
	require.Contains(t, p.text("#verdict"), "nobody answers: the daemon has ended")
	p.click("#reset")
	p.click("#compose button[type=submit]")
	require.Equal(t, []string{"text=OK"}, p.fields("#reply"))
}

// whole is all of the page that a conversation decides.
const whole = `["#verdict", "#reply", "#registry", "#conns", "#clock", "#log", "#draft"].map(s => document.querySelector(s).innerText).join("\n")`

func testShare(t *testing.T, b *browser) {
	first := b.open(t, "")
	for _, title := range eval[[]string](first, `[...document.querySelectorAll("#examples button")].map(b => b.textContent)`) {
		first.example(title)
		hash := eval[string](first, `location.hash`)
		require.Greater(t, len(hash), 10, title)
		second := b.open(t, hash)
		require.Equal(t, eval[string](first, whole), eval[string](second, whole), title)
		require.Equal(t, hash, eval[string](second, `location.hash`), title)
	}
	first.click("#reset")
	require.Empty(t, eval[string](first, `location.hash`))
	eval[any](first, `void (location.hash = "1.l.1=00016e")`) // a link pasted over this page
	first.wait(`document.querySelector("#verdict").textContent.includes("0 lines")`)
}

func testBadLinks(t *testing.T, b *browser) {
	p := b.open(t, "#2.l")
	alarm := func() string { return p.text("#alert") }
	require.Equal(t, "The link’s conversation cannot be played: it does not begin with “1.”, its version. This is a fresh daemon.", alarm())
	for _, bad := range []string{"1.l.2=00", "1.l.1=0", "%00", "1.port=0", "1.<script>alert(1)</script>", "1" + strings.Repeat(".l", 200)} {
		p.click("#compose button[type=submit]") // the page works all the same
		require.Contains(t, p.text("#verdict"), "Registered", bad)
		require.Empty(t, alarm())
		eval[any](p, fmt.Sprintf(`void (location.hash = %q)`, bad))
		p.wait(`document.querySelector("#alert").textContent.startsWith("The link’s conversation cannot be played: ")`)
		require.Equal(t, "0 nodes", p.text("#count"))
	}
}

func testBadInput(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.fill("#f-port", "65536")
	require.Equal(t, "port is a number from 0 to 65535.", p.text("#trouble"))
	p.keys(kb.Enter) // is not sent
	require.Equal(t, "Nothing has been sent yet.", p.text("#verdict"))
	p.fill("#hex", "00 0g")
	require.Equal(t, "“g” is no hex digit.", p.text("#trouble"))
	p.keys(kb.Enter)
	require.Equal(t, "Nothing has been sent yet.", p.text("#verdict"))
	require.Equal(t, "None is open.", p.text("#conns"))
}

// testHostile: names are text, whatever they hold.
func testHostile(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.fill("#f-name", `<img src=x onerror="throw 1">`)
	p.click("#compose button[type=submit]")
	p.click(`.kinds label:nth-of-type(4)`)
	p.click("#compose button[type=submit]")
	p.click("#log li:last-child summary")
	require.Contains(t, p.text("#registry"), `<img src=x onerror="throw 1">`)
	require.Contains(t, p.fields("#reply"), `name=<img src=x onerror="throw 1">`)
	require.Zero(t, eval[int](p, `document.querySelectorAll("main img, main script").length`))

	turned := b.open(t, "#1.l.1=00147823294d0000060005000761e280ae620a630000") // turns the line around, and breaks it
	require.Contains(t, turned.text("#registry"), `a\u{202e}b\u{a}c`)
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
			p.keys(kb.Tab)
			at := eval[struct {
				ID, Name string
				Seen     bool
			}](p, stop)
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
	p.keys("gamma" + kb.Enter) // the name was selected by the tab key
	require.Contains(t, p.text("#registry tbody tr"), "gamma")
	tabTo("hex")
	p.keys(kb.Enter)
	require.Contains(t, p.text("#verdict"), "Refused")
	tabTo("target")
	tabTo("primary")
	tabTo("gap")
	p.keys(kb.ArrowRight + kb.ArrowRight + kb.Enter)
	require.Equal(t, "00 12 78 | 23 29", eval[string](p, `document.querySelector("#hex").value.slice(0, 16)`))
	require.Equal(t, "3", eval[string](p, `document.activeElement.dataset.at`)) // the focus stays
	p.keys(kb.ArrowLeft + " ")
	require.Equal(t, "00 12 | 78 | 23", eval[string](p, `document.querySelector("#hex").value.slice(0, 15)`))
	tabTo("small") // to close a connection
	p.keys(kb.Enter)
	require.Equal(t, "0 nodes", p.text("#count"))
	for _, id := range []string{"f-port", "f-type", "f-protocol", "f-highest", "f-lowest", "f-extra", "f-tail"} {
		require.Contains(t, order, id)
	}
}

// testPhone: on the narrowest of phones nothing makes the page go sideways.
func testPhone(t *testing.T, b *browser) {
	p := b.open(t, "")
	p.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
	narrow := func(when string) {
		require.Equal(t, 320, eval[int](p, `innerWidth`), when)
		require.LessOrEqual(t, eval[int](p, `document.documentElement.scrollWidth`), 320, when)
		wide := eval[[]string](p, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > 320 && !e.matches(".unseen")).map(e => e.outerHTML.slice(0, 120))`)
		require.Empty(t, wide, when)
	}
	narrow("at first")
	for _, title := range eval[[]string](p, `[...document.querySelectorAll("#examples button")].map(b => b.textContent)`) {
		p.example(title)
		eval[any](p, `document.querySelectorAll("#log details").forEach(d => d.open = true)`)
		p.wait(`[...document.querySelectorAll("#log details")].every(d => d.childElementCount === 2)`)
		narrow(title)
		eval[any](p, `document.querySelectorAll("button.more").forEach(b => b.click())`)
		narrow(title + ", all bytes")
	}
}

// testContrast: in both schemes, text stands out from what is behind it by 4.5 to
// 1 or more.
func testContrast(t *testing.T, b *browser) {
	p := b.open(t, "")
	for _, scheme := range []string{"light", "dark"} {
		p.do(emulateScheme(scheme))
		for _, title := range []string{"Register and look up", "Name taken", "An excess byte closes", "Byte by byte"} {
			p.example(title)
			require.Empty(t, eval[[]string](p, faint), "%s: %s", scheme, title)
		}
	}
}

// testLight: the page itself, without the module, is less than 60 kB to load.
func testLight(t *testing.T, b *browser) {
	p := b.open(t, "")
	sizes := eval[map[string]int](p, `Object.fromEntries([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map(e => [e.name, e.encodedBodySize]))`)
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
	require.Empty(t, p.taken())
	require.True(t, eval[bool](p, `fetch("http://127.0.0.1:9/").then(() => false, () => true)`))
	require.NotEmpty(t, p.taken())
	eval[any](p, `document.body.append(Object.assign(document.createElement("script"), {textContent: "document.title = 'inline'"}))`)
	require.Equal(t, "EPMD playground", eval[string](p, `document.title`))
	require.NotEmpty(t, p.taken())
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
		picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		require.Less(t, len(picture), 300_000)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), picture, 0o644))
	}
	p := b.open(t, "")
	p.example("A restart bumps the creation")
	shoot(p, "playground.png")
	phone := b.open(t, "")
	phone.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch))
	phone.example("Register and look up")
	eval[any](phone, `document.querySelector(".answer").scrollIntoView()`)
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
