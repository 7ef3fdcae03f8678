package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestCommands runs the commands of both programs, ours and OTP's, against the
// daemons of both, and compares what they print and their exit status: whoever
// asks, and whoever answers, it is the same.
func TestCommands(t *testing.T) {
	theirs := otptest.Epmd(t)
	for _, relaxed := range []bool{false, true} {
		t.Run(fmt.Sprintf("relaxed=%v", relaxed), func(t *testing.T) {
			t.Parallel()
			var want []result
			for _, pair := range [][2]string{{theirs, theirs}, {theirs, program}, {program, theirs}, {program, program}} {
				got := commandStory(t, pair[0], pair[1], relaxed)
				if want == nil {
					want = got
				}
				require.Equal(t, want, got, "command %s, daemon %s", pair[0], pair[1])
			}
			require.Contains(t, want[1].Stdout, "name third at port 65535\nname second at port 0\nname first at port 4711\n")
		})
	}
}

// commandStory takes a daemon from its start to its end with the commands of a
// program, and gives what they printed; ports and descriptors, which differ, are
// made the same.
func commandStory(t *testing.T, commands, daemonProgram string, relaxed bool) []result {
	t.Helper()
	var args []string
	if relaxed {
		args = append(args, "-relaxed_command_check")
	}
	d := start(t, daemonProgram, args...)
	var results []result
	ask := func(args ...string) {
		r := call(t, commands, append([]string{"-port", strconv.Itoa(d.port)}, args...)...)
		r.Stdout = string(bytes.ReplaceAll([]byte(r.Stdout), []byte(strconv.Itoa(d.port)), []byte("PORT")))
		r.Stdout = withoutFDs(r.Stdout)
		results = append(results, r)
	}
	ctx := context.Background()
	register := func(name string, port uint16) *epmd.Registration {
		r, err := d.client().Register(ctx, node(name, port))
		require.NoError(t, err)
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	ask("-names")
	nodes := []*epmd.Registration{register("first", 4711), register("second", 0), register("third", 65535)}
	ask("-names")
	ask("-d", "-names")
	ask("-started")
	ask("-dump")
	ask("-kill") // ends a relaxed one
	if relaxed {
		results = append(results, result{Status: d.exit(t)})
		ask("-names")
		d = start(t, daemonProgram, args...)
		nodes = []*epmd.Registration{register("first", 4711), register("second", 0)}
	}
	ask("-stop", "second")
	ask("-stop", "nobody")
	ask("-stop", "")
	ask("-names")
	ask("-dump")
	for _, n := range nodes {
		require.NoError(t, n.Close())
	}
	require.Eventually(t, func() bool {
		names, err := d.client().Names(ctx)
		return err == nil && len(names.Nodes) == 0
	}, patience, 1e6)
	ask("-kill")
	results = append(results, result{Status: d.exit(t)})
	ask("-names")
	ask("-started")
	ask("-dump")
	ask("-kill")
	ask("-stop", "first")
	return results
}

// withoutFDs replaces the numbers of a dump that are each daemon's own.
func withoutFDs(s string) string {
	out, rest := "", s
	for {
		before, after, found := bytes.Cut([]byte(rest), []byte("fd = "))
		out += string(before)
		if !found {
			return out
		}
		out += "fd = FD"
		rest = string(bytes.TrimLeft(after, "0123456789"))
	}
}

// TestOddDaemons compares what the commands make of a daemon that answers
// nothing, too little, or something else.
func TestOddDaemons(t *testing.T) {
	theirs := otptest.Epmd(t)
	for _, command := range [][]string{{"-names"}, {"-dump"}, {"-kill"}, {"-stop", "x"}, {"-started"}} {
		for _, answer := range []string{"", "A", "NO", "OK", "OKK", "abc", "\x00\x00\x11\x11", "\x00\x00\x11\x11name x", "STOPPED", "NOEXISTSTOPPED", "something else"} {
			t.Run(fmt.Sprintf("%s %q", command[0], answer), func(t *testing.T) {
				ln, err := net.Listen("tcp6", "[::1]:0")
				if err != nil {
					ln, err = net.Listen("tcp4", "127.0.0.1:0") // a machine without IPv6
				}
				require.NoError(t, err)
				t.Cleanup(func() { _ = ln.Close() })
				go func() {
					for {
						c, err := ln.Accept()
						if err != nil {
							return
						}
						buf := make([]byte, 100)
						_, _ = c.Read(buf)             // whatever it asks,
						_, _ = c.Write([]byte(answer)) // this is the answer
						_ = c.Close()
					}
				}()
				args := append([]string{"-port", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)}, command...)
				want, got := call(t, theirs, args...), call(t, program, args...)
				require.Equal(t, want, got)
			})
		}
	}
}

// TestCommandsTryIPv6First: with a daemon at each loopback address the commands of both
// programs ask the same, that of ::1, which is not where nodes register.
func TestCommandsTryIPv6First(t *testing.T) {
	programs := map[string]string{"ours": program, "theirs": otptest.Epmd(t)}
	four, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	port := strconv.Itoa(four.Addr().(*net.TCPAddr).Port)
	six, err := net.Listen("tcp6", "[::1]:"+port)
	if err != nil {
		t.Skip("no IPv6 here, or the port is taken there: ", err)
	}
	var servers sync.WaitGroup
	t.Cleanup(servers.Wait)
	for ln, node := range map[net.Listener]string{four: "of127", six: "of1"} {
		s := &epmd.Server{}
		servers.Go(func() { _ = s.Serve(ln) }) // until it is closed
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		_, _, err = s.RegisterLocal(wire.Node{Name: node, Port: 7, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
		require.NoError(t, err)
	}
	for whose, path := range programs {
		require.Contains(t, call(t, path, "-port", port, "-names").Stdout, "name of1 at port 7", whose)
	}
}

// TestExitStatuses compares the status of both programs where they do not
// get as far as serving, and whether they say anything on either stream.
func TestExitStatuses(t *testing.T) {
	theirs := otptest.Epmd(t)
	busy := start(t, program)
	free := strconv.Itoa(freePort(t))
	taken := strconv.Itoa(busy.port)
	for _, args := range [][]string{
		{"-nonsense"}, {"-h"}, {"-port"}, {"-port", "0"}, {"-port", "x"}, {"-packet_timeout", "0"}, {"-packet_timeout"},
		{"-delay_accept", "0"}, {"-delay_write", "y"}, {"-address"}, {"-names", "x"}, {"-names", "-d"}, {"-stop"}, {"-stop", "a", "b"},
		{"-port", free, "-address", "bogus"}, {"-port", free, "-address", "127.1"}, {"-port", free, "-address", "localhost"},
		{"-port", free, "-address", "192.0.2.1"}, {"-port", free, "-address", "::ffff:127.0.0.9"},
		{"-port", free, "-systemd"}, {"-port", free, "-systemd", "-address", "bogus"},
		{"-port", free, "-names"}, {"-port", free, "-started"}, {"-port", free, "-dump"}, {"-port", free, "-kill"}, {"-port", free, "-stop", "x"},
		{"-port", taken}, {"-port", taken, "-address", "127.0.0.2"}, {"-port", taken, "-d"}, {"-port", taken, "-daemon"},
		{"-port", taken, "-address", "bogus"},
		{"-port", free, "-address", "127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6,127.0.0.7,127.0.0.8,127.0.0.9,127.0.0.10,127.0.0.11,127.0.0.12,127.0.0.13,127.0.0.14,127.0.0.15,127.0.0.16"},
	} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			want, got := call(t, theirs, args...), call(t, program, args...)
			require.Equal(t, want.Status, got.Status, "theirs: %+v\nours: %+v", want, got)
			require.Equal(t, want.Stdout, got.Stdout)
			require.Equal(t, want.Stderr == "", got.Stderr == "", "theirs: %q\nours: %q", want.Stderr, got.Stderr)
		})
	}
}

// TestDebugRemembersFewer: with -d five old names are remembered before records
// are taken over, as with OTP's.
func TestDebugRemembersFewer(t *testing.T) {
	for name, path := range map[string]string{"ours": program, "theirs": otptest.Epmd(t)} {
		t.Run(name, func(t *testing.T) {
			d := start(t, path, "-d")
			ctx := context.Background()
			for i := range registry.DebugRemember + 3 {
				r, err := d.client().Register(ctx, node(fmt.Sprintf("n%d", i), 1))
				require.NoError(t, err)
				require.NoError(t, r.Close())
				require.Eventually(t, func() bool {
					names, err := d.client().Names(ctx)
					return err == nil && len(names.Nodes) == 0
				}, patience, 1e6)
			}
			dump, err := d.client().Dump(ctx)
			require.NoError(t, err)
			require.Len(t, dump.Old, registry.DebugRemember+1)
			require.Equal(t, "n2", dump.Old[0].Name)
		})
	}
}
