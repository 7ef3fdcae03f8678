#!/bin/sh
# Builds the packages for every platform that they promise to build for.
set -eu
export CGO_ENABLED=0
here_os=$(go env GOHOSTOS)
here_arch=$(go env GOHOSTARCH)
for os in linux darwin windows freebsd; do
	for arch in amd64 arm64; do
		# What runs here the tests build, and go vet sees.
		[ "$os/$arch" != "$here_os/$here_arch" ] || continue
		echo "build $os/$arch"
		# Not optimized: whether it builds is all that is asked, and that takes a quarter less.
		GOOS=$os GOARCH=$arch go build -gcflags=all='-N -l' ./wire ./registry ./epmd/... ./cmd/...
	done
	[ "$os" != "$here_os" ] || continue
	echo "vet $os, tests included"
	GOOS=$os GOARCH=amd64 go vet -gcflags=all='-N -l' ./wire ./registry ./epmd/... ./epmdtest ./cmd/epmd
done
for os in wasip1 js; do
	echo "build $os/wasm"
	GOOS=$os GOARCH=wasm go build ./wire ./registry ./epmd/session
done
