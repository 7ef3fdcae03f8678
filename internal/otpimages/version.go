package otpimages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// versions are those that an image was found to have.
type versions struct {
	// OTP is OTP's own, in full.
	OTP string
	// Debian is that of Debian's erlang-base; empty if the image was pulled.
	Debian string
}

// came is the fuller version.
func (v versions) came() string {
	if v.Debian != "" {
		return v.Debian
	}
	return v.OTP
}

// ofOTP is OTP's part of Debian's version.
func ofOTP(debian string) string {
	if i := strings.IndexAny(debian, "+-~"); i >= 0 {
		return debian[:i]
	}
	return debian
}

// packageFile is the name of a package's file. The version is that of the source, without
// the epoch, and without the number of times that it was built anew.
var packageFile = regexp.MustCompile(`^erlang-base_(?:[0-9]+%3a)?([^_]+?)(?:\+b[0-9]+)?_[^_]+\.deb$`)

// judge says whether scenarios that were played to the versions of a recipe are right for
// another: with an error if not, else with a remark, if there is something to know.
func (r recipe) judge(v versions) (remark string, err error) {
	own := slices.ContainsFunc(r.Tried, func(debian string) bool { return ofOTP(debian) == v.OTP })
	if own && (v.Debian == "" || slices.Contains(r.Tried, v.Debian)) {
		return "", nil
	}
	where := "the registry's " + r.Pull
	if v.Debian != "" {
		where = "Debian's " + r.Suite
	}
	what := fmt.Sprintf("%s has OTP %s, and the scenarios were played to %s", where, v.came(), strings.Join(r.Tried, " and "))
	if own && !r.Moves {
		return what + ": if some of them differ now, it is for that", nil
	}
	return "", fmt.Errorf("%s: play them to the new one (epmd-conformance), say where it differs, "+
		"and add its version to the recipe of %q in internal/otpimages/recipe.go", what, r.Name)
}
