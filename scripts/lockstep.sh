#!/bin/sh
# Plays random conversations to OTP's epmd and to ours in lock-step:
#
#	scripts/lockstep.sh [STEPS]     20000 unless given
#
# LOCKSTEP_OTP names an image of OTP ("27") whose epmd it is; without it that is the
# installed one's. LOCKSTEP_SEED is what the conversations are made of: new each time unless
# given, and shown. As root on Linux it runs in a network of its own: see scripts/netns.sh.
set -eu
exec </dev/null
cd "$(dirname "$0")/.."
steps=${1:-20000}
case $steps in
'' | *[!0-9]* | 0) echo "usage: scripts/lockstep.sh [STEPS]" >&2; exit 2 ;;
esac
if [ "${LOCKSTEP_OTP:-}" = "" ] && ! otp=$(scripts/otp-epmd.sh); then
	echo "lockstep: so nothing is compared with its epmd" >&2
	[ "${GOEPMD_REQUIRE_OTP:-}" != 1 ] || exit 1
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
seed=${LOCKSTEP_SEED:-$(date +%s%N)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
if [ "${LOCKSTEP_OTP:-}" != "" ]; then
	otp=$(go run ./docker/otp-images -extract "$dir/otp" "$LOCKSTEP_OTP")
fi
CGO_ENABLED=0 go build -o "$dir/" ./cmd/epmd ./cmd/epmd-conformance
echo "lockstep: $steps steps from seed $seed with $otp"
if ! scripts/netns.sh "$dir/epmd-conformance" diff -a "$otp" -b "$dir/epmd" -n "$steps" -seed "$seed"; then
	echo "lockstep: the same again: LOCKSTEP_SEED=$seed scripts/lockstep.sh $steps" >&2
	exit 1
fi
