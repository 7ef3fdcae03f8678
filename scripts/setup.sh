#!/bin/sh
# Installs what the tests need and this machine lacks, and says what it does.
# Where it cannot install, it says what to get; tests that need it then say that
# they skip.
set -eu

say() { echo "setup: $*"; }

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
	$sudo apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$1" >/dev/null
	say "installed $1"
}

command -v go >/dev/null || { say "Go is missing: install Go 1.26 or later, see go.dev/doc/install"; exit 1; }
say "$(go version)"

if command -v gcc >/dev/null; then
	say "gcc is here"
else
	install gcc "the race detector needs a C compiler"
	install libc6-dev "and its library"
fi

if command -v node >/dev/null; then
	say "node $(node --version) is here"
else
	install nodejs "a host in JavaScript runs the WASM module"
fi

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
	say "a browser is here"
else
	install chromium "the playground is tested in a browser"
fi

if command -v docker >/dev/null && docker version >/dev/null 2>&1; then
	say "a docker engine answers"
else
	say "no docker engine answers: for the conformance suite and real nodes of several OTPs install and start one (apt-get install docker.io)"
fi

if command -v mmdebstrap >/dev/null; then
	say "mmdebstrap is here"
else
	install mmdebstrap "images of the real OTP are made of Debian's packages where no registry answers"
fi

if command -v mandoc >/dev/null; then
	say "mandoc is here"
else
	install mandoc "the form of the manual is checked by it"
fi

if command -v ip >/dev/null; then
	say "iproute2 is here"
else
	install iproute2 "tests with very many connections get a network of their own"
fi

if command -v erl >/dev/null; then
	say "Erlang/OTP $(erl -noshell -eval 'io:format("~s", [erlang:system_info(otp_release)]), halt().') is here"
else
	install erlang-base "the tests run against the real OTP"
fi

erlang_has() { erl -noshell -eval "halt(case code:which($1) of non_existing -> 1; _ -> 0 end)."; }
if erlang_has ssl; then
	say "OTP's ssl is here"
else
	install erlang-ssl "nodes with several transports use TLS"
fi
if erlang_has dialyzer; then
	say "OTP's dialyzer is here"
else
	install erlang-dialyzer "it checks the Erlang modules of the examples"
fi

if command -v openssl >/dev/null; then
	say "openssl is here"
else
	install openssl "it makes certificates for nodes that use TLS"
fi
