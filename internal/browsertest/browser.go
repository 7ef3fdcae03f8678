// Package browsertest lets tests look at a page in headless Chromium.
package browsertest

import (
	"context"
	"fmt"
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

	"github.com/goepmd/goepmd/internal/otptest"
)

// Patience is how long a browser may take to start, and what a test does in one tab, on a busy
// machine.
const Patience = 4 * time.Minute

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

// Start starts Chromium; the test's end stops it. A test with a browser is part of `make
// proof`. Without a browser the test is skipped, or fails when nothing may be missing.
func Start(t *testing.T) context.Context {
	t.Helper()
	otptest.Heavy(t)
	program := chromium(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.Flag("headless", "new"), chromedp.WSURLReadTimeout(Patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with it
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	first, closeFirst := chromedp.NewContext(allocator)
	t.Cleanup(closeFirst)
	require.NoError(t, chromedp.Do(first))
	return first
}

// Tab is one tab, and what went wrong in it that nobody asked for.
type Tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu      sync.Mutex
	faults  []string
	allowed string // in a fault that is none
}

// Open opens a page of a site in a tab of its own, and waits until the page says that it is
// ready. When the test ends, it must have written no error and asked nobody for what
// is not below base.
func Open(t *testing.T, browser context.Context, base, page string, width, height int64) *Tab {
	t.Helper()
	p := &Tab{t: t, base: base}
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithListener(p.listen))
	ctx, cancel := context.WithTimeout(ctx, Patience)
	t.Cleanup(func() {
		require.Empty(t, p.Taken())
		cancel()
		closeTab()
	})
	p.ctx = ctx
	p.Do(chromedp.EmulateViewport(width, height), chromedp.Navigate(base+page))
	p.Wait(`document.documentElement.dataset.ready === "yes"`)
	return p
}

func (p *Tab) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.fault(fmt.Sprintf("console: %v", e.Type))
	case *runtime.EventExceptionThrown:
		p.fault(fmt.Sprintf("exception: %s", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		p.fault(fmt.Sprintf("log: %v: %s", e.Entry.Level, e.Entry.Text))
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.base) && e.Request.URL != "data:," {
			p.fault("request: " + e.Request.URL)
		}
	}
}

// Allow lets the page write errors that contain a text, from now on: the browser tells of them
// when it likes.
func (p *Tab) Allow(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed = text
}

// fault notes what went wrong, unless it may.
func (p *Tab) fault(text string) {
	if p.allowed == "" || !strings.Contains(text, p.allowed) {
		p.faults = append(p.faults, text)
	}
}

// Taken gives the faults so far, and forgets them.
func (p *Tab) Taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	faults := p.faults
	p.faults = nil
	return faults
}

// Do does something in the tab.
func (p *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, steps...))
}

// Eval evaluates an expression in the page.
func Eval[T any](p *Tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return v
}

// Wait waits until an expression is true.
func (p *Tab) Wait(expression string) {
	p.t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(Patience/4)))
	require.NoError(p.t, err, expression)
}

// Click clicks on an element, as a mouse would.
func (p *Tab) Click(selector string) {
	p.t.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Fill types a text into an input, in the place of what is there.
func (p *Tab) Fill(selector, text string) {
	p.t.Helper()
	p.Do(chromedp.Focus(chromedp.CSS(selector)))
	Eval[any](p, fmt.Sprintf(`document.querySelector(%q).select()`, selector))
	p.Keys(text)
}

// Keys presses keys.
func (p *Tab) Keys(keys string) {
	p.t.Helper()
	p.Do(chromedp.KeyEvent(keys))
}

// Choose chooses an option of a list.
func (p *Tab) Choose(selector, value string) {
	p.t.Helper()
	Eval[any](p, fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event("change")) })(document.querySelector(%q))`, value, selector))
}

// Text is the text of an element, on one line.
func (p *Tab) Text(selector string) string {
	p.t.Helper()
	return Eval[string](p, fmt.Sprintf(`document.querySelector(%q).innerText.replace(/\s+/g, " ").trim()`, selector))
}

// Picture is what the tab shows, as PNG.
func (p *Tab) Picture() []byte {
	p.t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	return picture
}

// Texts are the texts of elements that can be seen.
func (p *Tab) Texts(selector string) []string {
	p.t.Helper()
	return Eval[[]string](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).map(e => e.innerText.replace(/\s+/g, " ").trim())`, selector))
}
