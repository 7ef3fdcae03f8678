//go:build unix

package main

import (
	"fmt"
	"io"
	"log/syslog"
	"os"
	"syscall"
)

// systemLog is the log of the system, for a daemon without a terminal.
func systemLog() (io.Writer, error) { return syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, "epmd") }

// isJournal says whether what is written goes to systemd's journal, which tells programs so.
func isJournal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}
