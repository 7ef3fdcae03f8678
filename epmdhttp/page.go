package epmdhttp

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"net/http"
	"strings"
)

var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

// page is the whole page, which needs nothing but /events.
var page = []byte(strings.NewReplacer("{{style}}", pageCSS, "{{script}}", pageJS).Replace(pageHTML))

// policy lets nothing run, and nothing be asked, but what the page is made of.
var policy = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"style-src '" + digest(pageCSS) + "'; script-src '" + digest(pageJS) + "'"

// digest names a text in a policy.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func servePage(w http.ResponseWriter, _ *http.Request) { say(w, "text/html; charset=utf-8", page) }
