//go:build unix

package main

import (
	"errors"
	"os"
)

// syncDir has the system keep what a folder holds.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
