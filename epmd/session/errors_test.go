package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
)

// TestErrorsTellThemselvesApart: each error has a text of its own, for logs.
func TestErrorsTellThemselvesApart(t *testing.T) {
	texts := map[string]bool{}
	for _, err := range []error{
		session.ErrNotLocal, session.ErrNotListed, session.ErrNotAllowed, session.ErrNotRelaxed, session.ErrData, session.ErrEnded,
	} {
		text := err.Error()
		require.Greater(t, len(text), 10)
		require.False(t, texts[text], text)
		texts[text] = true
	}
}
