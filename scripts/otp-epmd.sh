#!/bin/sh
# Prints the path of the epmd of the installed OTP; without OTP it says how to get it, and
# ends with status 1.
set -eu
if ! command -v erl >/dev/null; then
	echo "OTP is missing; to get it: apt-get install erlang-base (or make setup)" >&2
	exit 1
fi
root=$(erl -noshell -eval 'io:format("~s", [code:root_dir()]), halt().' </dev/null)
for otp in "$root"/erts-*/bin/epmd; do :; done
echo "$otp"
