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

// maxWraps is how many connections may wrap each other, as TLS wraps TCP.
const maxWraps = 8

// maxKeepIdle is the longest that Linux takes, in seconds.
const maxKeepIdle = 32767

// KeepAlive has the system probe a TCP connection, however it is wrapped, after so long a
// silence; 0 is never. It fails only on one that is closed, which a read will tell.
func KeepAlive(c net.Conn, silence time.Duration) {
	for range maxWraps {
		switch nc := c.(type) {
		case interface {
			SetKeepAliveConfig(net.KeepAliveConfig) error
			SetKeepAlive(bool) error
		}: // a *net.TCPConn, or a struct that embeds one
			if silence <= 0 {
				_ = nc.SetKeepAlive(false)
				return
			}
			_ = nc.SetKeepAliveConfig(net.KeepAliveConfig{
				Enable: true, Idle: min(silence, maxKeepIdle*time.Second), Interval: keepAliveInterval, Count: keepAliveProbes,
			})
			return
		case interface{ NetConn() net.Conn }: // a *tls.Conn, for instance
			c = nc.NetConn()
		default:
			return
		}
	}
}
