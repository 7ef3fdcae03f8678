//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// reapOrphans has process 1 take note of the end of each process whose parent has ended
// before it: nobody else would, and it would stay in the table of processes. It does so
// until the context ends.
func (u *upgrader) reapOrphans(ctx context.Context) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	for {
		u.reap()
		select {
		case <-ended:
		case <-ctx.Done():
			return
		}
	}
}

// reap takes the status of all children that have ended, while there is none that this
// program has started and waits for itself.
func (u *upgrader) reap() {
	u.busy.Lock()
	defer u.busy.Unlock()
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 && err != syscall.EINTR {
			return
		}
	}
}
