package sockets

import (
	"net"
	"time"
)

// The probes of Server.KeepAlive.
const (
	keepAliveInterval = 15 * time.Second
	keepAliveProbes   = 4
)

// KeepAlive begins to probe a connection of the portable engine, if it is TCP's
// own. It can only fail on one that is gone, which its end will tell.
func KeepAlive(c net.Conn, idle time.Duration) {
	tcp, ok := c.(*net.TCPConn)
	if !ok || idle <= 0 {
		return
	}
	_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: idle, Interval: keepAliveInterval, Count: keepAliveProbes,
	})
}
