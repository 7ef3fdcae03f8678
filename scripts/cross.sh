#!/bin/sh
# Builds the packages for the platforms that they promise to build for, and checks them,
# tests included:
#
#	scripts/cross.sh         one processor for each system, as make proof
#	scripts/cross.sh all     every processor, as make nightly
set -eu
cd "$(dirname "$0")/.."
case ${1:-some} in
some) platforms="linux/arm64 darwin/arm64 windows/amd64 freebsd/amd64" ;;
all) platforms="linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64" ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
export CGO_ENABLED=0
here=$(go env GOHOSTOS)/$(go env GOHOSTARCH)
for platform in $platforms; do
	# What runs here the tests build, and go vet sees.
	[ "$platform" != "$here" ] || continue
	export GOOS="${platform%/*}" GOARCH="${platform#*/}"
	echo "build $platform"
	# Not optimized: whether it builds is all that is asked, and that takes a quarter less.
	go build -gcflags=all='-N -l' ./wire ./registry ./epmd/... ./cmd/...
	[ "$GOOS" != "${here%/*}" ] || continue
	echo "vet $platform, tests included"
	go vet -gcflags=all='-N -l' ./wire ./registry ./epmd/... ./epmdtest ./cmd/epmd
done
unset GOOS GOARCH
for os in wasip1 js; do
	echo "build $os/wasm"
	GOOS=$os GOARCH=wasm go build ./wire ./registry ./epmd/session
done
