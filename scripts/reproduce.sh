#!/bin/sh
# Builds a program twice, as releases are built, and compares the bytes:
#
#	scripts/reproduce.sh [PROGRAM]     epmd unless given
#
# The builds differ in folder, time of the files, user's folder, umask, time zone, locale
# and cache; one lies in a repository of git, the other does not. GOOS and GOARCH choose
# the platform.
set -eu
cd "$(dirname "$0")/.."
program=${1:-epmd}
dir=$(mktemp -d)
finish() {
	chmod -R u+w "$dir" # in case of a module cache
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

mod=$(go env GOMODCACHE)
mkdir -p "$dir/one" "$dir/another/and deeper"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -c | tar -C "$dir/one" -x
cp -R "$dir/one/." "$dir/another/and deeper"
find "$dir/another" -exec touch -d '2001-02-03 04:05:06' {} +
git -C "$dir/one" -c init.defaultBranch=main init -q

# build FOLDER VARIABLE=VALUE...: one of the two, by a shell of its own.
build() {
	tree=$1
	shift
	env GOMODCACHE="$mod" "$@" "$tree/scripts/release-build.sh" "$program" "$dir/$(basename "$tree").out" 0.0.0-reproduce
}
build "$dir/one"
(
	umask 0077
	build "$dir/another/and deeper" GOCACHE="$dir/cache" HOME="$dir" TZ=Pacific/Auckland LC_ALL=C
)
if ! cmp "$dir/one.out" "$dir/and deeper.out"; then
	echo "reproduce: two builds of $program differ" >&2
	exit 1
fi
sum=$(sha256sum <"$dir/one.out")
echo "reproduce: two builds of $program are the same, ${sum%% *}"
