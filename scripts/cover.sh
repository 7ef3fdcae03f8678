#!/bin/sh
# Fails if a package that decides without a socket is covered by its own tests
# for less than 95 % of its statements.
set -eu
least=95
go test -count=1 -cover ./wire ./registry ./epmd/session | awk -v least="$least" '
	{ print }
	match($0, /coverage: [0-9.]+%/) {
		seen++
		if (substr($0, RSTART + 10, RLENGTH - 11) + 0 < least) low = low " " $2
	}
	END {
		if (seen != 3) { print "cover: expected 3 packages, saw " seen; exit 1 }
		if (low != "") { print "cover: below " least " %:" low; exit 1 }
	}'
