#!/bin/sh
# Installs what the tests need and this machine lacks, and says what it does:
#
#	scripts/setup.sh           for make test
#	scripts/setup.sh proof     and for make proof
#
# Where it cannot install, it says what to get; tests that need it then say that they skip.
set -eu
exec </dev/null

say() { echo "setup: $*"; }

updated=
install() { # PACKAGE WHY
	say "installing $1 ($2)"
	if ! command -v apt-get >/dev/null; then
		say "no apt-get here: install $1, or what your system calls it, yourself"
		return 0
	fi
	sudo=""
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || { say "not root, and no sudo: run as root: apt-get install $1"; return 0; }
		sudo=sudo
	fi
	if [ "$updated" = "" ]; then
		$sudo apt-get update -qq
		updated=yes
	fi
	DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes $sudo apt-get install -y -qq --no-install-recommends "$1" >/dev/null
	say "installed $1"
}

need() { # PROGRAM PACKAGE WHY
	if command -v "$1" >/dev/null; then
		say "$1 is here"
	else
		install "$2" "$3"
	fi
}

erlang_has() { # MODULE PACKAGE WHY
	if erl -noshell -eval "halt(case code:which($1) of non_existing -> 1; _ -> 0 end)." 2>/dev/null; then
		say "OTP's $1 is here"
	else
		install "$2" "$3"
	fi
}

command -v go >/dev/null || { say "Go is missing: install Go 1.26 or later, see go.dev/doc/install"; exit 1; }
say "$(go version)"

if command -v gcc >/dev/null; then
	say "gcc is here"
else
	install gcc "the race detector needs a C compiler"
	install libc6-dev "and its library"
fi
need node nodejs "a host in JavaScript runs the WASM module"
need mandoc mandoc "the form of the manual is checked by it"
need ip iproute2 "tests with very many connections get a network of their own"
need openssl openssl "it makes certificates for nodes that use TLS"
if command -v erl >/dev/null; then
	say "Erlang/OTP $(erl -noshell -eval 'io:format("~s", [erlang:system_info(otp_release)]), halt().') is here"
else
	install erlang-base "the tests run against the real OTP"
fi
erlang_has ssl erlang-ssl "nodes with several transports use TLS"

[ "${1:-}" = proof ] || exit 0

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
	say "a browser is here"
else
	install chromium "the pages are tested in a browser"
fi
erlang_has dialyzer erlang-dialyzer "it checks the Erlang modules of the examples"
need zsh zsh "completion is tested in it"
need fish fish "completion is tested in it"
if [ -e /usr/share/bash-completion/bash_completion ]; then
	say "bash-completion is here"
else
	install bash-completion "completion is tested beside it"
fi
need nft nftables "firewalls stand between the machines that the doctor looks at"
need qemu-aarch64-static qemu-user-static "tests for other processors are run by it"
need mmdebstrap mmdebstrap "images of the real OTP are made of Debian's packages where no registry answers"
if command -v docker >/dev/null && docker version >/dev/null 2>&1; then
	say "a docker engine answers"
else
	say "no docker engine answers: for the images, systemd and nodes of several OTPs install and start one (apt-get install docker.io)"
fi
