package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/browsertest"
)

// browser is a running Chromium and the playground that it looks at.
type browser struct {
	ctx  context.Context
	base string // the playground's URL
}

// startBrowser builds the playground, serves it as the command does, and starts
// Chromium. The test's end stops both.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	ctx := browsertest.Start(t)
	s, err := buildSite(ctx)
	require.NoError(t, err)
	unit, err := os.ReadFile("testdata/unit.js")
	require.NoError(t, err)
	require.NoError(t, s.add("unit.js", unit))
	return &browser{ctx: ctx, base: listen(t, s)}
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

// tab is the playground in a tab.
type tab struct{ *browsertest.Tab }

// open opens the playground with a fragment.
func (b *browser) open(t *testing.T, fragment string) *tab {
	t.Helper()
	return &tab{browsertest.Open(t, b.ctx, b.base, fragment, 1280, 900)}
}

// example clicks on the example with a title.
func (p *tab) example(title string) {
	browsertest.Eval[any](p.Tab, fmt.Sprintf(`[...document.querySelectorAll("#examples button")].find(b => b.textContent === %q).click()`, title))
}

// fields are the names and values of the fields below a strip of bytes.
func (p *tab) fields(selector string) []string {
	return browsertest.Eval[[]string](p.Tab, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(f => f.querySelector("b").textContent + "=" + f.querySelector("code").textContent)`, selector+" .facts li"))
}

// static serves written files by the plainest of servers.
func static(t *testing.T, dir string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: browsertest.Patience}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return fmt.Sprintf("http://%s/", l.Addr())
}
