package report

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/internal/browsertest"
)

// at is the selector of a cell of the matrix, or of a name with target -1.
func at(target, scenario int) string {
	return fmt.Sprintf(`[data-at="%d/%d"]`, target, scenario)
}

// TestPage uses the page of a report in a browser.
func TestPage(t *testing.T) {
	browser := browsertest.Start(t)
	r := fixture(t)
	page := pageOf(t, r)
	for name, test := range map[string]func(*testing.T, *browsertest.Tab){
		"numbers":       func(t *testing.T, p *browsertest.Tab) { testNumbers(t, p, r) },
		"failed cell":   testFailedCell,
		"other cells":   testOtherCells,
		"filter":        testFilter,
		"keyboard":      testKeyboard,
		"unknown links": testUnknownLink,
		"escaping":      testEscaping,
		"contrast":      testContrast,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, browser, page, "", 1280, 900)) })
	}
	t.Run("deep link", func(t *testing.T) { testDeepLink(t, open(t, browser, page, "#new/slow-sender", 1280, 900)) })
	t.Run("phone", func(t *testing.T) { testPhone(t, open(t, browser, page, "", 390, 844)) })
	t.Run("nothing to show", func(t *testing.T) {
		p := open(t, browser, pageOf(t, conformance.Report{}), "", 1280, 900)
		require.Contains(t, p.Text("#about"), "0 scenarios × 0 targets")
	})
}

// testNumbers compares the page's numbers with the report's.
func testNumbers(t *testing.T, p *browsertest.Tab, r conformance.Report) {
	require.Contains(t, p.Text("#about"), "5 scenarios × 3 targets · 2026-01-02 03:04 UTC · 90.0 s")
	sum := make(map[conformance.Verdict]int)
	for i, c := range r.Columns {
		for _, v := range conformance.Verdicts {
			n := c.Count()[v]
			sum[v] += n
			found := p.Texts(fmt.Sprintf(`thead th:nth-child(%d) .totals [data-verdict=%s]`, i+2, v))
			if n == 0 {
				require.Empty(t, found)
				continue
			}
			require.Len(t, found, 1)
			require.Equal(t, strconv.Itoa(n), strings.Fields(found[0])[1], "%s %s", c.Target, v)
			require.Len(t, p.Texts(fmt.Sprintf(`tr.row td:nth-child(%d) .%s`, i+2, v)), n)
		}
	}
	for _, v := range conformance.Verdicts {
		require.Contains(t, p.Text(fmt.Sprintf(`#verdicts [data-verdict=%s]`, v)), fmt.Sprintf("%d %s", sum[v], v))
	}
	require.Equal(t, []string{"names 2", "2/2", "2/2", "0/2 ✕ 2", "register 3", "2/3", "3/3", "0/3 ✕ 2"}, p.Texts("tr.area th, tr.area td"))
	require.Equal(t, []string{"✓ pre 29", "✓ as 29", "✕"}, p.Texts(at(0, 3)+","+at(1, 3)+","+at(2, 3)))
}

// testFailedCell clicks on a failure, and looks at both sides of its bytes.
func testFailedCell(t *testing.T, p *browsertest.Tab) {
	require.Empty(t, p.Texts("#detail"))
	p.Click(at(2, 2))
	p.Wait(`!document.querySelector("#detail").hidden`)
	require.Equal(t, "#bad/alive-again", browsertest.Eval[string](p, "location.hash"))
	require.Equal(t, "alive-again", p.Text("#detail h2"))
	require.Equal(t, "a node that comes back gets its creation plus one", p.Text("#detail .rule"))
	require.Contains(t, p.Text("#detail .why"), "others could not tell")
	require.Equal(t, "✕ failed", p.Text("#detail .said"))
	require.Contains(t, p.Text("#detail .sub"), "register · bad, held to OTP 29 · 1.5 s")
	require.Contains(t, p.Text(".fault"), "Step 5 failed b <- ALIVE2_X_RESP(creation=x+1), open result: 01 instead of 00")
	require.Equal(t, []string{"tag", "result", "creation"}, p.Texts(".fault .expected .label"))
	require.Equal(t, []string{"tag", "result", "creation", "too many"}, p.Texts(".fault .got .label"))
	require.Equal(t, []string{"76 v", "00 ·", "{creation:x+1}"}, p.Texts(".fault .expected .cells, .fault .expected .hole"))
	require.Equal(t, []string{"76 v", "01 ·", "00 · 00 · 00 · 63 c", "ff ·"}, p.Texts(".fault .got .cells"))
	require.Equal(t, []string{"00 ·", "01 ·", "ff ·"}, p.Texts(".fault .bad"))
	require.Equal(t, []string{"-relaxed_command_check", "ERL_EPMD_ADDRESS=127.0.0.1", "at most 64 open files"}, p.Texts(".daemon li"))
	require.Len(t, p.Texts(".steps > li"), 5)
	require.Len(t, p.Texts(".steps > .wrong"), 1)
	require.Equal(t, []string{"length", "tag"}, p.Texts(".steps > li:first-child .sent .label"))
	require.Equal(t, []string{"✓ old", "✓ new", "✕ bad"}, p.Texts(".results a"))
	p.Click(".results a:first-child")
	p.Wait(`document.querySelector("#detail .said").innerText === "✓ passed"`)
	p.Click(".close")
	p.Wait(`document.querySelector("#detail").hidden`)
	require.Equal(t, "0/2", browsertest.Eval[string](p, "document.activeElement.dataset.at"), "the focus goes back")
}

// testOtherCells looks at what is no failure of bytes.
func testOtherCells(t *testing.T, p *browsertest.Tab) {
	p.Click(at(2, 1))
	p.Wait(`document.querySelector("#detail h2")?.innerText === "names-long"`)
	require.Equal(t, []string{"… 2372 bytes before", "… 116 bytes more"}, p.Texts(".fault .got .left"))
	require.Equal(t, []string{"6e n", "3c <"}, p.Texts(".fault .bad"))

	p.Click(at(1, 1))
	p.Wait(`document.querySelector("#detail .said").innerText === "≈ deviates: lists are cut on purpose"`)
	p.Click(at(0, 4))
	p.Wait(`document.querySelector("#detail .said").innerText === "– skipped: only an address is known, no program"`)
	require.Equal(t, `run: -names out: "epmd: up and running on port " {port-text} {anything} err: nothing status: 0`, p.Text(".steps code"))

	p.Click(at(2, 3))
	p.Wait(`document.querySelector("#detail h2").innerText === "slow-sender"`)
	require.Equal(t, "Step 3 failed a <- nothing, closed it is still open", p.Text(".fault"))
	require.Contains(t, p.Text("#detail"), "Steps from OTP 29 on the time counts from the accept")
	require.Equal(t, []string{"before OTP 29"}, p.Texts("summary"))
	p.Click("summary")
	p.Wait(`document.querySelector("details").open`)
	require.Contains(t, p.Text("details"), "a <- nothing, open")

	p.Click(at(-1, 3))
	p.Wait(`document.querySelector("#detail .said") === null`)
	require.Equal(t, "#/slow-sender", browsertest.Eval[string](p, "location.hash"))
	require.Contains(t, p.Text("#detail"), "Steps before OTP 29")
	require.Equal(t, []string{"from OTP 29 on: the time counts from the accept"}, p.Texts("summary"))
}

// names are the scenarios that are shown.
func names(p *browsertest.Tab) []string { return p.Texts("tr.row th") }

func testFilter(t *testing.T, p *browsertest.Tab) {
	all := []string{"names-empty", "names-long", "alive-again", "slow-sender", "stop-by-command"}
	require.Equal(t, all, names(p))
	p.Click("#words")
	p.Keys("LIST long")
	require.Equal(t, []string{"names-long"}, names(p))
	require.Equal(t, "1 of 5 shown", p.Text("#shown"))
	p.Keys(" nowhere")
	require.Empty(t, names(p))
	require.Equal(t, "No scenario fits.", p.Text("#none"))
	browsertest.Eval[any](p, `document.querySelector("#words").select()`)
	p.Keys(kb.Backspace)
	require.Equal(t, all, names(p))

	p.Click(`#verdicts [data-verdict=failed]`)
	require.Equal(t, []string{"names-long", "alive-again", "slow-sender"}, names(p))
	p.Click(`#verdicts [data-verdict=broken]`)
	require.Equal(t, all[:4], names(p))
	p.Click(`#verdicts [data-verdict=failed]`)
	p.Click(`#verdicts [data-verdict=broken]`)
	require.Equal(t, all, names(p))

	p.Click("#differ")
	require.Equal(t, all[:4], names(p), "what was skipped makes no difference")
	p.Click("#differ")
	p.Click("tr.area button")
	require.Equal(t, all[2:], names(p))
	p.Click("tr.area button")
	require.Equal(t, all, names(p))
}

func testKeyboard(t *testing.T, p *browsertest.Tab) {
	focus := func() string {
		return browsertest.Eval[string](p, `document.activeElement.dataset.at ?? document.activeElement.id`)
	}
	browsertest.Eval[any](p, fmt.Sprintf(`document.querySelector('%s').focus()`, at(0, 0)))
	require.Equal(t, 1, browsertest.Eval[int](p, `document.querySelectorAll("[data-at][tabindex='0']").length`), "one stop for the tab key")
	p.Keys(kb.ArrowRight + kb.ArrowDown + kb.ArrowDown)
	require.Equal(t, "1/2", focus())
	p.Keys(kb.End + kb.ArrowRight)
	require.Equal(t, "2/2", focus())
	p.Keys(kb.Enter)
	p.Wait(`location.hash === "#bad/alive-again" && !document.querySelector("#detail").hidden`)
	require.Equal(t, "detail", focus())
	require.Equal(t, []string{"tag", "result", "creation", "too many"}, p.Texts(".fault .got .label"))
	p.Keys(kb.Escape)
	p.Wait(`document.querySelector("#detail").hidden`)
	require.Equal(t, "2/2", focus())
	p.Keys(kb.Home + kb.ArrowUp + kb.ArrowUp + kb.ArrowUp)
	require.Equal(t, "-1/0", focus())
	p.Keys(kb.Enter)
	p.Wait(`location.hash === "#/names-empty" && !document.querySelector("#detail").hidden`)
	browsertest.Eval[any](p, `history.back()`)
	p.Wait(`document.querySelector("#detail").hidden`)
}

func testDeepLink(t *testing.T, p *browsertest.Tab) {
	require.Equal(t, "slow-sender", p.Text("#detail h2"))
	require.Equal(t, "✓ passed: like OTP 29 and later", p.Text("#detail .said"))
	require.Equal(t, "true", browsertest.Eval[string](p, fmt.Sprintf(`document.querySelector('%s').getAttribute("aria-current")`, at(1, 3))))
}

func testUnknownLink(t *testing.T, p *browsertest.Tab) {
	for _, hash := range []string{"#nobody/names-empty", "#old/nothing", "#%zz/<b>"} {
		browsertest.Eval[any](p, fmt.Sprintf(`location.hash = %q`, hash))
		p.Wait(`document.querySelector("#detail h2")?.innerText === "Not in this report"`)
		p.Click(".close")
		p.Wait(`document.querySelector("#detail").hidden`)
	}
}

// testEscaping: what a target says is shown as it is, and does nothing.
func testEscaping(t *testing.T, p *browsertest.Tab) {
	const said = `</script><script>alert(1)</script> ]]> \x1b[31m \x00 \xff <b>&amp;`
	for _, c := range []struct {
		scenario int
		where    string
	}{{0, ".said"}, {2, ".what"}, {4, ".said"}} {
		p.Click(at(2, c.scenario))
		p.Wait(fmt.Sprintf(`document.querySelector("#detail h2")?.innerText === %q`, fixture(t).Scenarios[c.scenario].Name))
		require.Contains(t, p.Text("#detail "+c.where), said)
	}
	require.Equal(t, 2, browsertest.Eval[int](p, `document.scripts.length`))
	require.Equal(t, 0, browsertest.Eval[int](p, `document.querySelectorAll("#detail script, #detail b b").length`))
}

// testPhone: nothing but the matrix moves sideways.
func testPhone(t *testing.T, p *browsertest.Tab) {
	sideways := `document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth`
	require.False(t, browsertest.Eval[bool](p, sideways))
	p.Click(at(0, 2))
	p.Wait(`!document.querySelector("#detail").hidden`)
	browsertest.Eval[any](p, `location.hash = "#bad/names-long"`)
	p.Wait(`document.querySelector("#detail h2").innerText === "names-long"`)
	require.False(t, browsertest.Eval[bool](p, sideways))
	require.Equal(t, 390.0, browsertest.Eval[float64](p, `document.querySelector("#detail").getBoundingClientRect().width`))
	require.False(t, browsertest.Eval[bool](p, `document.querySelector("#detail").scrollWidth > document.querySelector("#detail").clientWidth`))
}

func testContrast(t *testing.T, p *browsertest.Tab) {
	for _, scheme := range []string{"light", "dark"} {
		p.Do(browsertest.EmulateScheme(scheme))
		for _, hash := range []string{"#bad/alive-again", "#bad/names-empty", "#new/names-long", "#new/slow-sender", "#old/stop-by-command"} {
			browsertest.Eval[any](p, fmt.Sprintf(`location.hash = %q`, hash))
			p.Wait(fmt.Sprintf(`document.querySelector("#detail h2")?.innerText === %q`, hash[5:]))
			require.Empty(t, browsertest.Eval[[]string](p, browsertest.Faint), "%s %s", scheme, hash)
		}
	}
}

// TestPageIsLight: what columns share stands once in the page, and long bytes are cut.
func TestPageIsLight(t *testing.T) {
	r := fixture(t)
	size := func() int {
		var b bytes.Buffer
		require.NoError(t, HTML(&b, r))
		return b.Len()
	}
	before := size()
	more := r.Columns[0]
	for i := range 7 {
		more.Target = fmt.Sprintf("same-%d", i)
		r.Columns = append(r.Columns, more)
	}
	require.Less(t, size()-before, 7*600)
	var b bytes.Buffer
	require.NoError(t, HTML(&b, r))
	require.NotContains(t, b.String(), strings.Repeat("6e", maxBytes+1))
	for _, outside := range []string{"http://", "https://", "@import", "url("} {
		require.NotContains(t, b.String(), outside)
	}
}

// TestPicture takes the picture for the docs, into the folder that GOEPMD_SCREENSHOTS
// names: of the report in GOEPMD_REPORT, which -json wrote, or of one made up. GOEPMD_SHOW
// is the details that it shows, as in the page's address: "#target/scenario".
func TestPicture(t *testing.T) {
	folder := os.Getenv("GOEPMD_SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	r, show := fixture(t), "#bad/alive-again"
	if path := os.Getenv("GOEPMD_REPORT"); path != "" {
		f, err := os.Open(path)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		r, err = Read(f)
		require.NoError(t, err)
		show = worth(r)
	}
	if address := os.Getenv("GOEPMD_SHOW"); address != "" {
		show = address
	}
	p := open(t, browsertest.Start(t), pageOf(t, r), show, 1280, 860)
	browsertest.Eval[any](p, `document.activeElement.blur()`)
	picture := p.Picture()
	require.Equal(t, "\x89PNG", string(picture[:4]))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "conformance.png"), picture, 0o644))
}

// worth is the address of what is most worth a look: a failure with bytes, any other,
// where versions differ, or what has most to show.
func worth(r conformance.Report) string {
	best, address := 0, ""
	for _, c := range r.Columns {
		for i, x := range c.Results {
			n := min(len(x.Trace), 5)
			if len(r.Scenarios[i].Differs) > 0 && x.Verdict == conformance.Passed {
				n += 5
			}
			if x.Failure != nil {
				n += 10
			}
			if x.Failure != nil && len(x.Failure.Expected) > 2 {
				n += 10
			}
			if n > best {
				best, address = n, "#"+url.PathEscape(c.Target)+"/"+x.Scenario
			}
		}
	}
	return address
}
