package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/bench"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/cmdline"
)

// engineMark is in front of an engine's name where a program's path is expected.
const engineMark = "@"

// engines are those of this library that this program can be a daemon with.
var engines = map[string]epmd.Engine{"epoll": epmd.EngineEpoll, "portable": epmd.EnginePortable}

// side reads -a or -b. "@portable" is this program as a daemon with that engine: epmd
// itself takes the best that there is.
func side(s string) (bench.Program, error) {
	p, err := bench.ParseProgram(s)
	engine, marked := strings.CutPrefix(p.Path, engineMark)
	if err != nil || !marked {
		return p, err
	}
	if _, known := engines[engine]; !known {
		return p, fmt.Errorf("there is no engine %q: give @epoll or @portable", engine)
	}
	self, err := os.Executable()
	p.Name, p.Path, p.Args = strings.TrimPrefix(p.Name, engineMark), self, []string{"serve", "-engine", engine}
	return p, err
}

func serveCommand() *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "be a daemon with a certain engine, as -a @portable starts it", Hidden: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "engine"}, &cmdline.Int{Name: "port"}, &cli.StringFlag{Name: "address"},
		},
		Action: serve,
	}
}

func serve(ctx context.Context, c *cli.Command) error {
	engine, known := engines[c.String("engine")]
	addr, err := netip.ParseAddrPort(net.JoinHostPort(c.String("address"), strconv.Itoa(c.Int("port"))))
	if err != nil || !known {
		return fmt.Errorf("engine %q: %w", c.String("engine"), err)
	}
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return err
	}
	s := &epmd.Server{Port: addr.Port(), Engine: engine, TakenGrace: -1}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })() // Serve tells of the end
	if err := s.Serve(ln); !errors.Is(err, epmd.ErrServerClosed) && !errors.Is(err, epmd.ErrKilled) {
		return err
	}
	return nil
}
