#!/bin/sh
# Runs a command beside a full load: on each processor a loop that only keeps it busy, at the
# same priority as the command, until the command ends: scripts/load.sh COMMAND...
set -eu
[ $# -ge 1 ] || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2; exit 2; }
loops=
trap '[ "$loops" = "" ] || kill $loops 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
n=$(getconf _NPROCESSORS_ONLN)
while [ "$n" -gt 0 ]; do
	# A loop looks now and then whether this script, $$, is still there.
	(while kill -0 $$ 2>/dev/null; do i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; done) &
	loops="$loops $!"
	n=$((n - 1))
done
"$@"
