package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestParseArgs(t *testing.T) {
	with := func(change func(*options)) options {
		o := options{port: 4369}
		change(&o)
		return o
	}
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want options
	}{
		{name: "nothing", want: options{port: 4369}},
		{name: "all flags",
			args: []string{"-d", "-debug", "-d", "-port", "5000", "-address", "1.2.3.4", "-daemon", "-relaxed_command_check", "-multi_transport", "-one_holder", "-systemd",
				"-packet_timeout", "7", "-delay_accept", "8", "-delay_write", "9"},
			want: options{debug: 3, port: 5000, portBy: "-port", addresses: "1.2.3.4", addressBy: "-address", daemon: true, relaxed: true, multi: true, oneHolder: true, systemd: true,
				packetTimeout: 7 * time.Second, delayAccept: 8 * time.Second, delayWrite: 9 * time.Second}},
		{name: "rights",
			args: []string{"-allow_lookup", "10.1.0.0/16, fd00:1::/32,,192.0.2.7 ::1", "-allow_names", "",
				"-allow_register", "10.2.0.0/16", "-allow_stop", "0.0.0.0/0", "-exit_idle", "30"},
			want: options{port: 4369, exitIdle: 30 * time.Second, access: access{
				lookup: prefixes("10.1.0.0/16", "fd00:1::/32", "192.0.2.7/32", "::1/128"), names: prefixes(),
				register: prefixes("10.2.0.0/16"), stop: prefixes("0.0.0.0/0")}}},
		{name: "grace", args: []string{"-taken_grace", "25"}, want: with(func(o *options) { o.takenGrace = 25 * time.Millisecond })},
		{name: "no grace", args: []string{"-taken_grace", "0"}, want: with(func(o *options) { o.takenGrace = -1 })},
		{name: "http", args: []string{"-http", "9180", "-d"}, want: with(func(o *options) { o.http, o.debug = "9180", 1 })},
		{name: "environment",
			env:  map[string]string{envPort: "5001", envAddress: "::1", envRelaxed: ""},
			want: options{port: 5001, portBy: envPort, addresses: "::1", addressBy: envAddress, relaxed: true}},
		{name: "flags win", args: []string{"-port", "5002", "-address", ""},
			env:  map[string]string{envPort: "5001", envAddress: "::1"},
			want: options{port: 5002, portBy: "-port", addressBy: "-address"}},
		{name: "an empty port is none", env: map[string]string{envPort: ""}, want: options{port: 4369}},
		{name: "a number may be followed by anything", args: []string{"-port", " 5003\n"}, want: options{port: 5003, portBy: "-port"}},
		{name: "highest port", args: []string{"-port", "65535"}, want: options{port: 65535, portBy: "-port"}},
		{name: "a flag wins over a bad environment", args: []string{"-port", "5004", "-names"},
			env: map[string]string{envPort: "abc"}, want: options{port: 5004, portBy: "-port", command: commandNames}},
		{name: "names", args: []string{"-port", "1", "-names"}, want: options{port: 1, portBy: "-port", command: commandNames}},
		{name: "started", args: []string{"-started"}, want: with(func(o *options) { o.command = commandStarted })},
		{name: "dump", args: []string{"-d", "-dump"}, want: with(func(o *options) { o.command, o.debug = commandDump, 1 })},
		{name: "kill", args: []string{"-kill"}, want: with(func(o *options) { o.command = commandKill })},
		{name: "stop", args: []string{"-stop", "foo"}, want: with(func(o *options) { o.command, o.stopName = commandStop, "foo" })},
		{name: "stop nothing", args: []string{"-stop", ""}, want: with(func(o *options) { o.command = commandStop })},
		{name: "upgrade", args: []string{"-upgrade"}, want: with(func(o *options) { o.command = commandUpgrade })},
		{name: "state", args: []string{"-state", "/var/lib/epmd/state"}, want: with(func(o *options) { o.state = "/var/lib/epmd/state" })},
		{name: "version", args: []string{"-version"}, env: map[string]string{envPort: "abc"}, want: options{command: commandVersion}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseArgs(tt.args, lookupIn(tt.env))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParseArgsUsage(t *testing.T) {
	for _, args := range [][]string{
		{"-x"}, {"names"}, {""}, {"-h"}, {"--help"}, {"-names", "-d"}, {"-names", "foo"}, {"-kill", "x"},
		{"-stop"}, {"-stop", "a", "b"}, {"-names", "-port", "1"}, {"-d", "foo"}, {"-version", "x"},
		{"-port"}, {"-port", "0"}, {"-port", "x"}, {"-port", ""}, {"-port", "-1"}, {"-port", "65536"}, {"-port", "99999999999999999999"},
		{"-packet_timeout"}, {"-packet_timeout", "0"}, {"-packet_timeout", "x"}, {"-packet_timeout", "-1"},
		{"-delay_accept"}, {"-delay_accept", "0"}, {"-delay_write"}, {"-delay_write", "0"}, {"-address"},
		{"-state"}, {"-state", ""}, {"-upgrade", "x"},
		{"-taken_grace"}, {"-taken_grace", "-1"}, {"-taken_grace", "x"}, {"-taken_grace", "10ms"}, {"-taken_grace", "2147483648"},
		{"-exit_idle"}, {"-exit_idle", "0"}, {"-exit_idle", "-1"}, {"-exit_idle", "x"},
		{"-allow_lookup"}, {"-allow_names"}, {"-allow_register"}, {"-allow_stop"},
	} {
		_, err := parseArgs(args, lookupIn(nil))
		require.ErrorIs(t, err, errUsage, "%q", args)
	}
}

func TestParseArgsBadPortInEnvironment(t *testing.T) {
	for _, v := range []string{"abc", "0", "-3", "65536"} {
		_, err := parseArgs(nil, lookupIn(map[string]string{envPort: v}))
		require.ErrorContains(t, err, envPort)
		require.NotErrorIs(t, err, errUsage)
	}
}

func TestLeadingInt(t *testing.T) {
	for s, want := range map[string]int64{
		"": 0, "x": 0, "1": 1, "12x3": 12, " \t\n12": 12, "+5": 5, "-5": -5, "--5": 0, "- 5": 0,
		"2147483647": 1<<31 - 1, "2147483648": 0, "99999999999999999999999": 0,
	} {
		require.Equal(t, want, leadingInt(s), "%q", s)
	}
}

func lookupIn(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

// node is a node as today's OTP would register it.
func node(name string, port uint16) wire.Node {
	return wire.Node{Name: name, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
}
