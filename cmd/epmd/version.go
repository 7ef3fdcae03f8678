package main

import "github.com/goepmd/goepmd/internal/version"

// versionLine is the program's name and version, and what it was built of.
func versionLine() string { return "goepmd epmd " + version.Built() }
