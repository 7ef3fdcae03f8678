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

// KeepAlive begins to probe a connection of TCP's own. It fails only on one that is
// closed, which a read will tell.
func KeepAlive(c net.Conn, idle time.Duration) {
	tcp, ok := c.(*net.TCPConn)
	if !ok || idle <= 0 {
		return
	}
	_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: idle, Interval: keepAliveInterval, Count: keepAliveProbes,
	})
}
