package sockets

import (
	"time"

	"golang.org/x/sys/unix"
)

// PresetKeepAlive tells a listening socket how its connections are to be probed, which
// they inherit. Probing itself is off until StartKeepAlive, so that it costs those
// nothing that are closed at once. It fails on a kind of socket that has no probes, such
// as a Unix socket, which is no fault.
func PresetKeepAlive(fd int, silence time.Duration) {
	if silence <= 0 {
		return
	}
	seconds := func(d time.Duration) int { return max(int((d+time.Second-1)/time.Second), 1) }
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, min(seconds(silence), maxKeepIdle))
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds(keepAliveInterval))
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAliveProbes)
}

// StartKeepAlive begins to probe a connection. It fails only on one that is closed,
// which a read will tell.
func StartKeepAlive(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
}
