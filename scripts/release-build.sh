#!/bin/sh
# Builds a program as releases are built, static and the same byte for byte wherever it is
# built:
#
#	scripts/release-build.sh PROGRAM FILE [VERSION]     for instance epmd bin/epmd 1.2.3
#
# GOOS and GOARCH choose the platform. Without a version it is that of git, or none.
# .goreleaser.yaml holds the same flags; a test compares them.
set -eu
[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
program=$1 file=$2
case $file in /*) ;; *) file=$PWD/$file ;; esac
cd "$(dirname "$0")/.."
version=${3-$(git describe --tags --always --dirty 2>/dev/null || true)}
commit=$(git rev-parse -q --verify HEAD 2>/dev/null || true)
of=github.com/goepmd/goepmd/internal/version
CGO_ENABLED=0 exec go build -trimpath -buildvcs=false -ldflags="-s -w -buildid= -X $of.release=$version -X $of.commit=$commit" -o "$file" "./cmd/$program"
