package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// initProgram is the first process of a machine, whose end is the machine's. Its arguments
// are the machine's name and the folder with what stands in /etc there. It says "up" when
// the machine is made, and ends when its input does.
func initProgram(args []string) error {
	name, etc := args[0], args[1]
	if err := unix.Sethostname([]byte(name)); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mounts of its own: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	for _, file := range etcFiles {
		at := "/etc/" + file
		if _, err := os.Stat(at); err != nil {
			continue // the machine's links lead nowhere: then there is nothing to hide
		}
		if err := unix.Mount(filepath.Join(etc, file), at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	go func() {
		for range ended {
			for {
				pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
				if pid <= 0 && !errors.Is(err, unix.EINTR) {
					break
				}
			}
		}
	}()
	fmt.Println("up")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
