package differ

import "golang.org/x/sys/unix"

// socket makes a TCP socket that programs started meanwhile do not inherit.
func socket() (int, error) { return unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) }
