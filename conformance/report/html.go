package report

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/goepmd/goepmd/conformance"
)

var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// HTML writes a report as one page that needs nothing else: no server, no other
// file, no net. It holds the report as JSON, in short, and a script that shows it; its
// policy lets no other script run. Its error is w's.
func HTML(w io.Writer, r conformance.Report) error {
	return pageTemplate.Execute(w, map[string]any{
		"Policy": fmt.Sprintf("default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src '%s'; script-src '%s'", digest(pageCSS), digest(pageJS)),
		"Style":  template.CSS(pageCSS),
		"Script": template.JS(pageJS),
		"Data":   dataOf(r),
	})
}

// digest names a text in a page's policy.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
