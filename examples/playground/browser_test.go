package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience is how long the whole of a browser's work may take, on a busy machine.
const patience = 4 * time.Minute

// chromium finds the browser, or skips the test; like the tests that need OTP, it
// fails when nothing may be missing.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	const text = "Chromium is missing, so the page is not tested; to get it: apt-get install --no-install-recommends chromium"
	if os.Getenv("GOEPMD_REQUIRE_OTP") == "1" {
		require.Fail(t, text+"; GOEPMD_REQUIRE_OTP=1 makes that a failure")
	}
	t.Skip("SKIPPED: " + text)
	return ""
}

// browser is a running Chromium and the playground that it looks at.
type browser struct {
	ctx  context.Context
	base string // the playground's URL
}

// startBrowser builds the playground, serves it as the command does, and starts
// Chromium. The test's end stops both.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	program := chromium(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	s, err := buildSite(ctx)
	require.NoError(t, err)
	unit, err := os.ReadFile("testdata/unit.js")
	require.NoError(t, err)
	require.NoError(t, s.add("unit.js", unit))
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.Flag("headless", "new"), chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with it
	}
	allocator, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	first, closeFirst := chromedp.NewContext(allocator)
	t.Cleanup(closeFirst)
	require.NoError(t, chromedp.Do(first))
	return &browser{ctx: first, base: listen(t, s)}
}

// listen serves a site on a free port until the test's end.
func listen(t *testing.T, s site) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l, s) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return fmt.Sprintf("http://%s/", l.Addr())
}

// tab is one tab, and what went wrong in it that nobody asked for.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu     sync.Mutex
	faults []string
}

// open opens a tab with a fragment and waits until the page is ready. When the
// test ends, the page must have written no error and asked nobody else.
func (b *browser) open(t *testing.T, fragment string) *tab {
	t.Helper()
	p := &tab{t: t, base: b.base}
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithListener(p.listen))
	t.Cleanup(func() {
		require.Empty(t, p.taken())
		closeTab()
	})
	p.ctx = ctx
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(b.base+fragment))
	p.wait(`document.documentElement.dataset.ready === "yes"`)
	return p
}

func (p *tab) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.faults = append(p.faults, fmt.Sprintf("console: %v", e.Type))
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, fmt.Sprintf("exception: %s", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		p.faults = append(p.faults, fmt.Sprintf("log: %v: %s", e.Entry.Level, e.Entry.Text))
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.base) {
			p.faults = append(p.faults, "request: "+e.Request.URL)
		}
	}
}

// taken gives the faults so far, and forgets them.
func (p *tab) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	faults := p.faults
	p.faults = nil
	return faults
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, steps...))
}

// eval evaluates an expression in the page.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return v
}

// wait waits until an expression is true.
func (p *tab) wait(expression string) {
	p.t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience/4)))
	require.NoError(p.t, err, expression)
}

// click clicks on an element, as a mouse would.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// fill types a text into an input, in the place of what is there.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	p.do(chromedp.Focus(chromedp.CSS(selector)))
	eval[any](p, fmt.Sprintf(`document.querySelector(%q).select()`, selector))
	p.keys(text)
}

// keys presses keys.
func (p *tab) keys(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// choose chooses an option of a list.
func (p *tab) choose(selector, value string) {
	p.t.Helper()
	eval[any](p, fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event("change")) })(document.querySelector(%q))`, value, selector))
}

// example clicks on the example with a title.
func (p *tab) example(title string) {
	p.t.Helper()
	eval[any](p, fmt.Sprintf(`[...document.querySelectorAll("#examples button")].find(b => b.textContent === %q).click()`, title))
}

// text is the text of an element, on one line.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`document.querySelector(%q).innerText.replace(/\s+/g, " ").trim()`, selector))
}

// fields are the names and values of the fields below a strip of bytes.
func (p *tab) fields(selector string) []string {
	p.t.Helper()
	return eval[[]string](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(f => f.querySelector("b").textContent + "=" + f.querySelector("code").textContent)`, selector+" .facts li"))
}

// static serves written files by the plainest of servers.
func static(t *testing.T, dir string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: patience}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return fmt.Sprintf("http://%s/", l.Addr())
}
