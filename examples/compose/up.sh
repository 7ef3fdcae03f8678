#!/bin/sh
# Brings up compose.yaml: one EPMD, two Erlang nodes that ping each other, RabbitMQ.
#
#	examples/compose/up.sh          up, and shows that it works
#	examples/compose/up.sh down     and away again
#
# COMPOSE_FILE=two-hosts.yaml brings up that one: two hosts with an EPMD each.
#
# It needs Docker with compose, and Go, which builds the image of epmd. ERLANG_IMAGE,
# RABBITMQ_IMAGE and EPMD_IMAGE choose other images; without them those of
# docker/otp-images are taken where they are, else erlang:27 and rabbitmq:4 are pulled.
# AMQP_PORT is where RabbitMQ is to be found on this machine, 5672 unless given.
set -eu
cd "$(dirname "$0")"
export COMPOSE_FILE="${COMPOSE_FILE:-compose.yaml}"

if docker compose version >/dev/null 2>&1; then
	compose() { docker compose "$@"; }
elif command -v docker-compose >/dev/null; then
	compose() { docker-compose "$@"; }
else
	echo "compose is missing; to get it: apt-get install docker-compose" >&2
	exit 1
fi

# choose VARIABLE LOCAL OTHER: the image that the variable names, or the local one if
# it is here, or the other one.
choose() {
	eval "image=\${$1:-}"
	if [ "$image" = "" ]; then
		image=$3
		if docker image inspect "$2" >/dev/null 2>&1; then image=$2; fi
	fi
	export "$1=$image"
}
choose ERLANG_IMAGE goepmd-otp:27 erlang:27
choose RABBITMQ_IMAGE goepmd-otp:apps rabbitmq:4

if [ "${1:-up}" = down ]; then
	compose down --volumes --timeout 10
	exit
fi
if [ "${EPMD_IMAGE:-}" = "" ]; then
	export EPMD_IMAGE=goepmd/epmd
	../../docker/image.sh "$EPMD_IMAGE" >/dev/null
fi

compose up -d

# wait_for SECONDS WORDS...: until the command succeeds.
wait_for() {
	until=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$(date +%s)" -ge "$until" ]; then
			compose ps >&2
			compose logs --tail 20 >&2
			echo "gave up waiting for: $*" >&2
			exit 1
		fi
		sleep 0.5
	done
}
logs() { compose logs --no-color "$1" | sed -n 's/^[^|]*| //p'; }
ponged() { logs "$1" | grep -q '^pong'; }
services=$(compose config --services)
wait_for 120 ponged alpha
wait_for 120 ponged beta
case $services in
*rabbitmq*) wait_for 120 compose exec -T rabbitmq rabbitmqctl --silent await_startup ;;
esac

logs alpha | grep -B 1 '^pong'
logs beta | grep -B 1 '^pong'
for service in $services; do
	case $service in
	epmd*)
		echo "\$ docker-compose exec $service /epmd -names"
		compose exec -T "$service" /epmd -names
		;;
	esac
done
