// Package epoll is the engine for Linux: one goroutine serves all connections of plain TCP
// and Unix sockets.
package epoll
