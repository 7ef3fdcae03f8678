package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// answerPatience is how long a daemon may take to answer a command.
const answerPatience = 5 * time.Second

// interact asks the daemon on this machine, prints what it says, and returns
// the exit status. The texts are OTP's: scripts look for them.
func interact(o options, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), answerPatience)
	defer cancel()
	if status, done := interactMulti(ctx, o, stdout, stderr); done {
		return status
	}
	answer, err := ask(ctx, o)
	switch {
	case err == nil:
	case o.command == commandStarted:
		return 1
	case noFiles(err):
		fmt.Fprintln(stderr, "epmd: too few open files to ask: 6 are needed; raise the limit (ulimit -n)")
		return 1
	default:
		fmt.Fprintln(stderr, "epmd: Cannot connect to local epmd")
		if o.debug > 0 {
			fmt.Fprintln(stderr, "epmd:", err)
		}
		return 1
	}
	switch o.command {
	case commandKill:
		return printKill(answer, stdout)
	case commandStop:
		return printStop(answer, stdout)
	}
	port, lines, err := wire.ParseListPort(answer)
	switch {
	case o.command == commandStarted && err != nil:
		return 1
	case o.command == commandStarted:
		return 0
	case err != nil:
		return printMute(stdout)
	}
	return printList(port, lines, stdout, stderr)
}

func printMute(stdout io.Writer) int {
	fmt.Fprintln(stdout, "epmd: no response from local epmd")
	return 1
}

func printList(port uint32, lines []byte, stdout, stderr io.Writer) int {
	fmt.Fprintf(stdout, "epmd: up and running on port %d with data:\n", port)
	if _, err := stdout.Write(lines); err != nil {
		fmt.Fprintln(stderr, "epmd: cannot print the list:", err)
		return 1
	}
	return 0
}

// ask sends the request of a command. The packet is made by hand, since -stop
// sends any name as it is.
func ask(ctx context.Context, o options) ([]byte, error) {
	var body []byte
	switch o.command {
	case commandNames, commandStarted:
		body = []byte{byte(wire.TagNamesReq)}
	case commandDump:
		body = []byte{byte(wire.TagDumpReq)}
	case commandKill:
		body = []byte{byte(wire.TagKillReq)}
	case commandStop:
		body = append([]byte{byte(wire.TagStopReq)}, o.stopName...)
	}
	packet, err := wire.AppendPacket(nil, body)
	if err != nil {
		return nil, err
	}
	c := client(o)
	answer, err := c.Exchange(ctx, packet)
	if !connected(err) {
		return nil, err
	}
	return answer, nil // it runs, even if its answer broke off
}

// connected says that a daemon took the connection, whatever came then.
func connected(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}

// client asks the daemon that the options mean, at the addresses that OTP's commands try,
// in their order.
func client(o options) *epmd.Client {
	port := strconv.Itoa(int(o.port))
	return &epmd.Client{Addr: "localhost:" + port, Timeout: -1, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var errs []error
		for _, host := range []string{"::1", "127.0.0.1"} {
			c, err := new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
			if err == nil {
				return c, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	}}
}

func printKill(answer []byte, stdout io.Writer) int {
	switch {
	case bytes.HasPrefix(answer, []byte("OK")):
		fmt.Fprintln(stdout, "Killed")
		return 0
	case len(answer) < 2:
		fmt.Fprintln(stdout, "epmd: local epmd responded with <>")
	default:
		fmt.Fprintln(stdout, "Killing not allowed - living nodes in database.")
	}
	return 1
}

func printStop(answer []byte, stdout io.Writer) int {
	const length = len("STOPPED")
	if len(answer) < length {
		fmt.Fprintln(stdout, "epmd: local epmd responded with <>")
		return 1
	}
	text, _, _ := bytes.Cut(answer[:length], []byte{0}) // OTP's ends it there
	fmt.Fprintf(stdout, "%s\n", text)
	return 0
}
