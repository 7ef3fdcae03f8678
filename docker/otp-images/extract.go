package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/goepmd/goepmd/internal/otpimages"
)

// extract takes the epmd of an image into a folder, and prints the path of a script that
// runs it.
func extract(ctx context.Context, folder string, names []string) error {
	if len(names) != 1 {
		return errors.New("name the one image to extract from")
	}
	ref, here, err := otpimages.Ref(ctx, names[0])
	if err != nil {
		return err
	}
	if !here {
		return fmt.Errorf("the image of OTP %s is missing: get it first", names[0])
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	program, err := otpimages.Extract(ctx, ref, folder)
	if err == nil {
		fmt.Println(program)
	}
	return err
}
