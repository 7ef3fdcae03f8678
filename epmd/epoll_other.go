//go:build !linux

package epmd

import (
	"errors"
	"net"
)

var errNoEpoll = errors.New("only Linux has it")

// epollFit says why the epoll engine cannot serve the listeners.
func epollFit([]net.Listener) error { return errNoEpoll }

func newEpoll(*config) (engine, error) { return nil, errNoEpoll }
