package otpimages

import (
	"context"
	"strings"
)

// script compiles a module and calls it, starts what TLS distribution needs, tells the
// versions, and runs its arguments.
const script = `
set -e
cd /tmp
for proof; do $proof >&2; done
printf '%s\n' '-module(m). -export([otp/0]). otp() ->
	Folder = filename:join([code:root_dir(), "releases", erlang:system_info(otp_release)]),
	{ok, Version} = file:read_file(filename:join(Folder, "OTP_VERSION")), string:trim(Version).' >m.erl
erlc m.erl
erl -noshell -eval '
	{ok, _} = application:ensure_all_started(ssl),
	io:format("~s ~s~n", [m:otp(), erlang:system_info(version)]), halt().'
`

// run runs an image, and gives the OTP and ERTS that it tells.
func (r recipe) run(ctx context.Context, image string) (otp, erts string, err error) {
	args := []string{
		"run", "--rm", "--network", "none", "--label", repository,
		"--entrypoint", "/bin/sh", image, "-c", script, "sh",
	}
	out, err := docker(ctx, append(args, r.Proofs...)...)
	if err != nil {
		return "", "", err
	}
	otp, erts, _ = strings.Cut(out, " ")
	return otp, erts, nil
}
