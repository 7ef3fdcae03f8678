//go:build !unix

package main

import (
	"errors"
	"io"
)

// systemLog is the log of the system: none that is known here.
func systemLog() (io.Writer, error) { return nil, errors.New("no system log") }
