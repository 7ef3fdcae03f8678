package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLogPriority: to the journal of systemd each line says how grave it is; nothing else is
// told so.
func TestLogPriority(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	info, err := f.Stat()
	require.NoError(t, err)
	st := info.Sys().(*syscall.Stat_t)
	say := func() string {
		require.NoError(t, f.Truncate(0))
		_, err := f.Seek(0, io.SeekStart)
		require.NoError(t, err)
		log := newLogger(options{debug: 1}, f)
		log.Error("e")
		log.Warn("w")
		log.Info("i")
		log.Debug("d")
		text, err := os.ReadFile(f.Name())
		require.NoError(t, err)
		return string(text)
	}
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", st.Dev, st.Ino))
	require.Regexp(t, "^<3>epmd: .* e\n<4>epmd: .* w\n<6>epmd: .* i\n<7>epmd: .* d\n$", say())
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", st.Dev, st.Ino+1))
	require.NotContains(t, say(), "<")
	t.Setenv("JOURNAL_STREAM", "")
	require.NotContains(t, say(), "<")
}
