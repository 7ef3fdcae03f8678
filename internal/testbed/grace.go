package testbed

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// askPatience is how long a program may take to say whether it knows a flag.
const askPatience = 5 * time.Second

// NoGrace is the flags with which a program is to refuse a taken name at once, as OTP's epmd
// does, though it would give the holder some time to end. A program that does not know
// them needs none.
func NoGrace(ctx context.Context, path string, args ...string) []string {
	port, err := FreePort()
	if err != nil {
		return nil // which whoever starts the program finds, too
	}
	flags := []string{"-taken_grace", "0"}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	asked := slices.Concat(args, flags, []string{"-port", strconv.Itoa(int(port)), "-version"})
	if r, err := Run(ctx, Command(path, asked...)); err != nil || r.Status != 0 {
		return nil
	}
	return flags
}
