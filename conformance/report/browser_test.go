package report

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/internal/browsertest"
)

// pageOf writes the page of a report, and gives its URL.
func pageOf(t *testing.T, r conformance.Report) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, HTML(f, r))
	require.NoError(t, f.Close())
	return "file://" + path
}

// open opens a page in a tab of its own.
func open(t *testing.T, browser context.Context, url, fragment string, width, height int64) *browsertest.Tab {
	t.Helper()
	return browsertest.Open(t, browser, url, fragment, width, height)
}
