#!/bin/sh
# Runs a command in a Linux of its own, where it may have a million files open:
# scripts/kernel.sh COMMAND... That Linux is one process (Debian's user-mode-linux), sees
# this machine's files, has loopback for a network, and is many times slower. The status
# is the command's.
set -eu
if ! command -v linux.uml >/dev/null; then
	echo "kernel: linux.uml is missing; to get it: apt-get install user-mode-linux" >&2
	exit 127
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
{
	export -p
	printf 'cd "$PWD" && exec'
	for word; do printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done
} >"$dir/command"
cat >"$dir/init" <<EOT
#!/bin/sh
mount -t proc proc /proc
ip link set lo up
ulimit -n 1000000
echo 262144 >/proc/sys/net/ipv4/tcp_max_orphans # so that those who leave at once may say so
status=0
sh "$dir/command" </dev/null || status=\$?
echo "\$status" >"$dir/status"
echo o >/proc/sysrq-trigger
sleep 60
EOT
chmod +x "$dir/init"
echo 1 >"$dir/status"
# Its memory is a file that is as large as what was used; it goes with the process.
linux.uml mem="${KERNEL_MEMORY:-8G}" root=/dev/root rootfstype=hostfs rootflags=/ rw quiet \
	init="$dir/init" con=null con0=fd:0,fd:1 </dev/null || true
exit "$(cat "$dir/status")"
