#!/bin/sh
# Builds the image of epmd, and prints its id:
#
#	docker/image.sh [NAME [ARCHITECTURE]]     goepmd/epmd, and the engine's own, unless given
#
# The architectures are Go's: amd64, arm64 and others. It takes Go, and no registry.
set -eu
cd "$(dirname "$0")/.."
name=${1:-goepmd/epmd}
own=$(docker version --format '{{.Server.Arch}}')
arch=${2:-$own}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

version=$(git describe --tags --always --dirty 2>/dev/null || echo development)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
GOOS=linux GOARCH=$arch scripts/release-build.sh epmd "$dir/linux/$arch/epmd" "$version"

build() { # OPTION...
	docker build -q -f docker/Dockerfile --build-arg "TARGETPLATFORM=linux/$arch" \
		--label "org.opencontainers.image.version=$version" \
		--label "org.opencontainers.image.revision=$revision" \
		-t "$name" "$@" "$dir" </dev/null
}
if [ "$arch" = "$own" ]; then
	build
elif docker buildx version >/dev/null 2>&1; then
	build --platform "linux/$arch"
else
	# The old builder writes its own architecture into every image that it makes.
	wrong=$(build)
	mkdir "$dir/image"
	docker save "$name" | tar -C "$dir/image" -x
	sed -i "s/\"architecture\":\"$own\"/\"architecture\":\"$arch\"/" "$dir"/image/*.json
	tar -C "$dir/image" -c . | docker load -q >/dev/null
	docker rmi "$wrong" >/dev/null
	docker inspect --format '{{.Id}}' "$name"
fi
