package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// envPort is the variable by which nodes are told EPMD's port.
const envPort = "ERL_EPMD_PORT"

// usualPort is EPMD's port where no flag says another. The error is for a variable that
// holds no port.
func usualPort() (uint16, error) {
	text := os.Getenv(envPort)
	if text == "" {
		return wire.DefaultPort, nil
	}
	n, ok := portOf(text)
	if !ok {
		return wire.DefaultPort, fmt.Errorf("%s is %q, and not a port from 1 to 65535: mend it, or give -port", envPort, text)
	}
	return n, nil
}

func portOf(text string) (uint16, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err == nil && n > 0
}

// place is where the EPMD on a host is: HOST, HOST:PORT, or an address of IPv6, in
// brackets if a port follows. An empty host is that of the flags, which is empty for this
// machine.
func place(c *cli.Command, host string) (string, uint16, error) {
	if host == "" {
		host = c.String("host")
	}
	bare, text, found := strings.Cut(host, ":")
	switch {
	case strings.HasPrefix(host, "["):
		bare, text, found = strings.Cut(host[1:], "]")
		if !found || text != "" && text[0] != ':' {
			return "", 0, fmt.Errorf("%q: write an address of IPv6 as [::1] or [::1]:4369", host)
		}
		text, found = strings.CutPrefix(text, ":")
	case strings.Contains(text, ":"):
		bare, found = host, false // an address of IPv6
	}
	port := c.Uint16("port")
	if !found {
		if _, err := usualPort(); err != nil && !c.IsSet("port") {
			return "", 0, err
		}
		return bare, port, nil
	}
	n, ok := portOf(text)
	switch {
	case !ok:
		return "", 0, fmt.Errorf("%q: behind the colon stands a port, from 1 to 65535", host)
	case c.IsSet("port") && n != port:
		return "", 0, fmt.Errorf("%q and -port %d name two ports: give one", host, port)
	}
	return bare, n, nil
}

// client is one of the EPMD on a host, empty for the one that the flags name.
func client(c *cli.Command, host string) (*epmd.Client, error) {
	host, port, err := place(c, host)
	if err != nil {
		return nil, err
	}
	return &epmd.Client{Addr: net.JoinHostPort(host, strconv.Itoa(int(port))), Timeout: c.Duration("timeout")}, nil
}

// where is the EPMD of a client, for people.
func where(c *epmd.Client) string {
	if port, here := strings.CutPrefix(c.Addr, ":"); here {
		return "this machine, port " + port
	}
	return c.Addr
}
