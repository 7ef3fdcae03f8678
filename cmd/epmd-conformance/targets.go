package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/shlex"
	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/conformance"
)

// aim is a target, and the version of OTP that it must be like; zero is any.
type aim struct {
	conformance.Target
	otp   int
	close func() error
}

// errNoTarget says how to name a target.
var errNoTarget = errors.New("name a target: -target HOST:PORT, -exec PROGRAM or -image IMAGE")

// targets are those of the command line.
func targets(ctx context.Context, c *cli.Command) ([]aim, error) {
	var all []aim
	add := func(flag string, open func(name, what string) (conformance.Target, func() error, error)) error {
		for _, v := range c.StringSlice(flag) {
			name, what := v, v
			if before, after, named := strings.Cut(v, "="); named && !strings.Contains(before, " -") {
				name, what = before, after
			}
			t, end, err := open(name, what)
			if err != nil {
				return fmt.Errorf("-%s %s: %w", flag, v, err)
			}
			all = append(all, aim{t, version(name), end})
		}
		return nil
	}
	err := errors.Join(
		add("image", func(name, what string) (conformance.Target, func() error, error) { return inContainer(ctx, name, what) }),
		add("exec", func(name, what string) (conformance.Target, func() error, error) {
			t, err := commandLine(name, what)
			return t, nothing, err
		}),
		add("target", func(name, what string) (conformance.Target, func() error, error) {
			addr, err := resolve(ctx, what)
			return conformance.Address(name, addr), nothing, err
		}),
	)
	if err == nil && len(all) == 0 {
		err = errNoTarget
	}
	return all, err
}

func nothing() error { return nil }

// commandLine is a program, or a line of a program and its arguments, quoted as for a shell.
func commandLine(name, line string) (conformance.Target, error) {
	if _, err := os.Stat(line); err == nil {
		return conformance.Program(name, line), nil
	}
	words, err := shlex.Split(line)
	if err != nil {
		return nil, fmt.Errorf("the quotes are not in pairs: %w", err)
	}
	if len(words) == 0 {
		return nil, errors.New("no program is named")
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil, fmt.Errorf("there is no program %s", words[0])
	}
	return conformance.Program(name, path, words[1:]...), nil
}

var otpName = regexp.MustCompile(`^OTP (\d+)`)

// version is the version of OTP in a target's name.
func version(name string) int {
	m := otpName.FindStringSubmatch(name)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0 // more digits than a version has
	}
	return n
}

// resolve finds the address of HOST:PORT.
func resolve(ctx context.Context, what string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(what)
	if err != nil {
		return netip.AddrPort{}, errors.New("an address is written as HOST:PORT or [IPV6]:PORT")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is no port, from 1 to 65535", port)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return netip.AddrPort{}, fmt.Errorf("there is no host %q, as far as this machine knows", host)
	case err != nil:
		return netip.AddrPort{}, fmt.Errorf("the name server does not tell the address of %q", host)
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(n)), nil
}
