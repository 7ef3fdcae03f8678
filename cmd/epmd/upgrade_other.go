//go:build !unix

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

var upgradeSignals []os.Signal

func socketPair() (*net.UnixConn, *os.File, error) { return nil, nil, errors.ErrUnsupported }
func shareable(syscall.Conn) (*os.File, error)     { return nil, errors.ErrUnsupported }
func hasPredecessor() bool                         { return false }
func fromPredecessor() *net.UnixConn               { return nil }
func inherited(string) (int, bool)                 { return -1, false }
func (u *upgrader) catchSignals(int)               {}
func (u *upgrader) onSignals(context.Context)      {}
