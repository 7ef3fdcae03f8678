package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set by the linker when a release is built.
var release string

// version is the program's name and version, and what it was built with.
func version() string {
	return fmt.Sprintf("goepmd epmd %s (%s %s/%s)", versionNumber(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// versionNumber is the program's version alone.
func versionNumber() string {
	v := release
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" {
		v = "development"
	}
	return v
}
