#!/bin/sh
# Tells the story of several transports under one name with real nodes, of an OTP that is
# not patched. Node s listens for TCP, for TLS and on a Unix socket under one name; k, which
# has TCP alone, connects over TCP; m, which has all, over the one that its policy says.
# What each connection is, the node itself shows: a socket, or a process of ssl with the
# certificate that the other side has shown.
#
#   examples/multi-transport/run.sh [IMAGE]
#
# Needs Go, openssl and Erlang with ssl (apt-get install openssl erlang-base erlang-ssl).
# With the name of a container image, such as erlang:27, its erl is used, by docker.
# PORT and EPMD choose the port and a program that is already built.
set -eu
cd "$(dirname "$0")/../.."

image=${1:-}
port=${PORT:-24370}
dir=$(mktemp -d)
here=$PWD/examples/multi-transport
story=goepmd-story-$$
epmd_pid=""
s_pid=""
exec=""
finish() {
	if [ -n "$image" ]; then docker rm -f "$story-s" "$story" >/dev/null 2>&1 || true; fi
	for pid in $s_pid $epmd_pid; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

for tool in openssl ${EPMD:-go} $([ -n "$image" ] && echo docker || echo erl erlc); do
	command -v "$tool" >/dev/null || {
		echo "$tool is missing; apt-get install openssl erlang-base erlang-ssl" >&2
		exit 1
	}
done

# otp NAME COMMAND...: a program of OTP, here or in a container of that name. With $exec
# it takes the place of the shell, so that its process number is known.
otp() {
	name=$1
	shift
	if [ -z "$image" ]; then
		$exec env HOME="$dir" ERL_EPMD_PORT="$port" ERL_CRASH_DUMP_BYTES=0 "$@"
	else
		$exec docker run --rm --name "$name" --network host -v "$dir:$dir" -v "$here:$here:ro" -w "$dir" \
			-e HOME="$dir" -e ERL_EPMD_PORT="$port" -e ERL_CRASH_DUMP_BYTES=0 "$image" "$@"
	fi
}
# wait_for WORDS...: until the command succeeds, 60 seconds at most.
wait_for() {
	i=0
	until "$@" >/dev/null 2>&1; do
		i=$((i + 1))
		[ "$i" -lt 600 ] || { echo "gave up waiting for: $*" >&2; cat "$dir/s.log" >&2; exit 1; }
		sleep 0.1
	done
}
say() { printf '\n%s\n' "# $*"; }

epmd=${EPMD:-}
if [ -z "$epmd" ]; then
	epmd=$dir/epmd
	go build -o "$epmd" ./cmd/epmd
fi
otp "$story" erlc -Werror -o "$dir" "$here"/src/*.erl "$here/story/story.erl"

ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
{
	openssl req -x509 $ec -days 1 -subj /CN=authority -keyout "$dir/ca.key" -out "$dir/ca.pem"
	openssl req $ec -subj /CN=nodes -keyout "$dir/key.pem" -out "$dir/node.csr"
	echo "subjectAltName=IP:127.0.0.1,DNS:127.0.0.1" >"$dir/names"
	openssl x509 -req -in "$dir/node.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
		-days 1 -extfile "$dir/names" -out "$dir/node.pem"
} 2>"$dir/openssl.log" || { cat "$dir/openssl.log" >&2; exit 1; }
files="{certfile, \"$dir/node.pem\"}, {keyfile, \"$dir/key.pem\"}, {cacertfile, \"$dir/ca.pem\"}, {verify, verify_peer}"
echo "[{server, [$files, {fail_if_no_peer_cert, true}]}, {client, [$files, {verify_fun, {fun story:verify/3, []}}]}]." >"$dir/ssl_dist.conf"
openssl x509 -in "$dir/node.pem" -outform der -out "$dir/node.der"

# node NAME FLAGS...: an erl with the module.
node() {
	name=$1
	shift
	otp "$story$([ "$name" = s ] && echo -s)" erl -noinput -name "$name@127.0.0.1" -setcookie story -start_epmd false \
		-connect_all false -pa "$dir" -epmd_module goepmd -ssl_dist_optfile "$dir/ssl_dist.conf" \
		-goepmd uds_dir "\"$dir/uds\"" "$@"
}

echo "OTP $(otp "$story" erl -noshell -eval 'io:format("~s", [erlang:system_info(otp_release)]), halt().')," \
	"certificate $(openssl dgst -sha256 -r "$dir/node.der" | cut -c1-16)"
echo "\$ epmd -multi_transport -port $port"
"$epmd" -multi_transport -port "$port" &
epmd_pid=$!
wait_for "$epmd" -port "$port" -started

all="goepmd_tcp goepmd_tls goepmd_uds"
say "s listens for TCP, for TLS and on a Unix socket, under one name"
echo "\$ erl -name s@127.0.0.1 -epmd_module goepmd -proto_dist $all"
(exec=exec; node s -proto_dist $all) >"$dir/s.log" 2>&1 &
s_pid=$!
# The name is there with the first transport; a moment later all are.
names() { "$epmd" -multi_transport -port "$port" -names; }
all_of_s() { names | grep -q '^name s at port .*#.*#.*#'; } # the name is there with the first
wait_for all_of_s
echo "\$ epmd -multi_transport -port $port -names"
names

say "k has TCP alone, and no module but the one for EPMD"
echo "\$ erl -name k@127.0.0.1 -epmd_module goepmd -proto_dist inet_tcp"
node k -proto_dist inet_tcp -eval "
	story:call('s@127.0.0.1'), halt()."

say "m has all; its policy is: TCP in the same subnet, TLS elsewhere"
echo "\$ erl -name m@127.0.0.1 -epmd_module goepmd -proto_dist $all -goepmd policy subnet"
node m -proto_dist $all -goepmd policy subnet -eval "
	S = 's@127.0.0.1',
	Set = fun(Chapter, Key, Value) ->
		io:format(\"~n# ~ts~n~ts> application:set_env(goepmd, ~p, ~p).~n\", [Chapter, node(), Key, Value]),
		application:set_env(goepmd, Key, Value)
	end,
	story:call(S),
	Set(\"the same policy, when no subnet is called near\", near, []),
	story:call(S),
	Set(\"a policy that prefers a Unix socket on the same machine\", policy, machine),
	story:call(S),
	Set(\"a policy of one's own: TLS to s\", policy, {story, policy}),
	story:call(S),
	halt()."
