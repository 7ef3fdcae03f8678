//go:build !unix

package main

import (
	"errors"
	"io"
)

// systemLog is the log of the system: none that is known here.
func systemLog() (io.Writer, error) { return nil, errors.New("no system log") }

// isJournal says whether what is written goes to systemd's journal, which is Linux's.
func isJournal(io.Writer) bool { return false }
