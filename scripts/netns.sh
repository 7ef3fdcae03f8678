#!/bin/sh
# Runs a command in a network of its own, if this is Linux and root: scripts/netns.sh
# COMMAND... Where containers run, the system keeps track of every connection on loopback;
# tests make so many that the table of them is soon full, and then connecting fails or
# takes seconds. Besides loopback the network has an address to be a remote peer with.
set -eu
if [ "${GOEPMD_OWN_NETWORK:-}" = 1 ] || [ "$(id -u)" != 0 ] || ! command -v ip >/dev/null || ! unshare -n true 2>/dev/null; then
	exec "$@"
fi
export GOEPMD_OWN_NETWORK=1
exec unshare -n sh -c '
	ip link set lo up
	ip address add 198.51.100.2/32 dev lo
	ip address add 2001:db8::2/128 dev lo nodad 2>/dev/null || true # there may be no IPv6
	exec "$@"' sh "$@"
