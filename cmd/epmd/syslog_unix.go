//go:build unix

package main

import (
	"io"
	"log/syslog"
)

// systemLog is the log of the system, for a daemon without a terminal.
func systemLog() (io.Writer, error) { return syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, "epmd") }
