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
	v := release
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" {
		v = "development"
	}
	return fmt.Sprintf("goepmd epmd %s (%s %s/%s)", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
