#!/bin/sh
# Starts our EPMD and two real Erlang nodes that find each other through it, lets
# each ping the other, and ends all three. Prints "pong" twice and ends with 0 if
# all went well.
#
#   examples/erlang-cluster/run.sh
#
# Needs Go and Erlang (apt-get install erlang-base). PORT and EPMD choose the
# port and a program that is already built.
set -eu
cd "$(dirname "$0")/../.."

port=${PORT:-24369}
dir=$(mktemp -d)
pids=""
finish() {
	for pid in $pids; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

for tool in erl ${EPMD:-go}; do
	command -v "$tool" >/dev/null || {
		echo "$tool is missing; Erlang comes with: apt-get install erlang-base" >&2
		exit 1
	}
done

epmd=${EPMD:-}
if [ -z "$epmd" ]; then
	epmd=$dir/epmd
	go build -o "$epmd" ./cmd/epmd
fi

# wait_for WORDS...: until the command succeeds, 30 seconds at most.
wait_for() {
	i=0
	until "$@" >/dev/null 2>&1; do
		i=$((i + 1))
		[ "$i" -lt 300 ] || { echo "gave up waiting for: $*" >&2; exit 1; }
		sleep 0.1
	done
}
lists() { "$epmd" -port "$port" -names | grep -q "^name $1 at port "; }

echo "\$ epmd -port $port"
"$epmd" -port "$port" &
pids="$pids $!"
wait_for "$epmd" -port "$port" -started

export ERL_EPMD_PORT="$port"
for name in alpha beta; do
	echo "\$ erl -name $name@127.0.0.1"
	HOME=$dir erl -noinput -name "$name@127.0.0.1" -setcookie example -start_epmd false &
	pids="$pids $!"
	wait_for lists "$name"
done

echo "\$ epmd -port $port -names"
"$epmd" -port "$port" -names

# ping FROM TO: asks one node, from a third that tells nobody, to ping the other.
ping() {
	echo "$1> net_adm:ping('$2@127.0.0.1')."
	HOME=$dir erl -noinput -hidden -name "asker@127.0.0.1" -setcookie example -start_epmd false -eval "
		io:format(\"~p~n\", [erpc:call('$1@127.0.0.1', net_adm, ping, ['$2@127.0.0.1'])]), halt()." >"$dir/answer"
	cat "$dir/answer"
	[ "$(cat "$dir/answer")" = pong ]
}
ping alpha beta
ping beta alpha
