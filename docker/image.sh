#!/bin/sh
# Builds the image of epmd: docker/image.sh [NAME], goepmd/epmd unless given.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$dir/epmd" ./cmd/epmd
docker build -q -t "${1:-goepmd/epmd}" -f docker/Dockerfile "$dir" </dev/null
