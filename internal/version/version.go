// Package version is what a program tells of how it was built.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release and commit are set by the linker when a release is built.
var release, commit string

// Number is the version alone, as in "1.2.3"; "development" where none was given.
func Number() string {
	v := release
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" {
		v = "development"
	}
	return v
}

// Built is the version, what built it for which system, and of which commit, if that is
// known, as in "1.2.3 (go1.26.0 linux/amd64, commit 0123456789ab)".
func Built() string {
	of := source()
	if of != "" {
		of = ", commit " + of
	}
	return fmt.Sprintf("%s (%s %s/%s%s)", Number(), runtime.Version(), runtime.GOOS, runtime.GOARCH, of)
}

// source is the commit, as long as people compare it, and whether something was changed.
func source() string {
	const most = 12
	c, changed := commit, ""
	if info, ok := debug.ReadBuildInfo(); c == "" && ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				c = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = " and changes"
			}
		}
	}
	if c == "" {
		return ""
	}
	return c[:min(len(c), most)] + changed
}
