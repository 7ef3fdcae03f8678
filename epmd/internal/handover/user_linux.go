package handover

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// sameUser is nil if the process at the other end belongs to this one's user.
func sameUser(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	switch {
	case err != nil || credErr != nil:
		return fmt.Errorf("whose the other process is cannot be told: %w", errors.Join(err, credErr))
	case int(cred.Uid) != os.Geteuid():
		return fmt.Errorf("the other process is user %d's, and this one user %d's", cred.Uid, os.Geteuid())
	}
	return nil
}
