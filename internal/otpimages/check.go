package otpimages

import (
	"context"
	"fmt"
	"strings"
)

// script compiles a module and calls it, starts what TLS distribution needs, tells the
// versions, and runs its arguments.
const script = `
set -e
cd /tmp
for proof; do $proof >&2; done
printf '%s\n' '-module(m). -export([otp/0]). otp() -> erlang:system_info(otp_release).' >m.erl
erlc m.erl
erl -noshell -eval '
	{ok, _} = application:ensure_all_started(ssl),
	io:format("~s ~s~n", [m:otp(), erlang:system_info(version)]), halt().'
`

// check runs an image, and gives the OTP and ERTS that it tells.
func (r recipe) check(ctx context.Context, image string) (otp, erts string, err error) {
	args := []string{
		"run", "--rm", "--network", "none", "--label", repository,
		"--entrypoint", "/bin/sh", image, "-c", script, "sh",
	}
	out, err := docker(ctx, append(args, r.Proofs...)...)
	if err != nil {
		return "", "", err
	}
	otp, erts, _ = strings.Cut(out, " ")
	if otp != r.OTP {
		return "", "", fmt.Errorf("OTP %s came out, not %s: Debian's %s has moved on, so the recipe must", otp, r.OTP, r.Suite)
	}
	return otp, erts, nil
}
