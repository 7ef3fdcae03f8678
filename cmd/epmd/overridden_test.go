package main

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWarnOverridden: a setting that sockets of systemd override is warned of by its name, with
// the command to mend it; one that says what the sockets say is not.
func TestWarnOverridden(t *testing.T) {
	tcp := func(address string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", address)
		require.NoError(t, err)
		return a
	}
	unix := &net.UnixAddr{Net: "unix", Name: "/run/epmd"}
	everywhere := tcp("[::]:4369")
	const edit = "by: systemctl edit epmd.socket"
	for name, tt := range map[string]struct {
		args   string
		env    map[string]string
		passed []net.Addr
		units  []string
		want   []string // the warnings, each by the words in it
	}{
		"nothing set":                {"", nil, []net.Addr{everywhere}, nil, nil},
		"nothing set, another port":  {"", nil, []net.Addr{tcp("[::]:24369")}, nil, nil},
		"-address":                   {"-address 127.0.0.1", nil, []net.Addr{everywhere}, nil, []string{"-address says nothing"}},
		"-address of others":         {"-address 10.0.0.1", nil, []net.Addr{tcp("10.0.0.2:4369")}, nil, []string{"-address says nothing"}},
		"-address of more":           {"-address 10.0.0.1,10.0.0.2", nil, []net.Addr{tcp("10.0.0.2:4369")}, nil, []string{"-address says nothing"}},
		"-address, other loopback":   {"-address 127.0.0.2", nil, []net.Addr{tcp("127.0.0.1:4369")}, nil, []string{"-address says nothing"}},
		"ERL_EPMD_ADDRESS":           {"", map[string]string{envAddress: "10.0.0.1"}, []net.Addr{everywhere}, nil, []string{"ERL_EPMD_ADDRESS says nothing"}},
		"ERL_EPMD_ADDRESS, empty":    {"", map[string]string{envAddress: ""}, []net.Addr{tcp("127.0.0.1:4369")}, nil, nil},
		"all, but loopback passed":   {"-address 0.0.0.0", nil, []net.Addr{tcp("127.0.0.1:4369")}, nil, []string{"-address says nothing"}},
		"-address as passed":         {"-address 127.0.0.1", nil, []net.Addr{tcp("127.0.0.1:4369")}, nil, nil},
		"-address as passed, + loop": {"-address 10.0.0.1", nil, []net.Addr{tcp("10.0.0.1:4369"), tcp("[::1]:4369")}, nil, nil},
		"all addresses as passed":    {"-address 0.0.0.0", nil, []net.Addr{everywhere}, nil, nil},
		"-port":                      {"-port 24369", nil, []net.Addr{everywhere}, nil, []string{"-port says nothing under -systemd: the port is 4369"}},
		"ERL_EPMD_PORT":              {"", map[string]string{envPort: "24369"}, []net.Addr{everywhere}, nil, []string{"ERL_EPMD_PORT says nothing"}},
		"-port as passed":            {"-port 4369", nil, []net.Addr{everywhere}, nil, nil},
		"-port of several":           {"-port 24369", nil, []net.Addr{everywhere, tcp("[::]:24369")}, nil, nil},
		"-port, no port passed":      {"-port 24369", nil, []net.Addr{unix}, nil, []string{"the port is 4369"}},
		"both":                       {"-port 24369 -address 10.0.0.1", nil, []net.Addr{everywhere}, nil, []string{"-address says", "-port says"}},
		"a name of another kind":     {"-port 24369", nil, []net.Addr{everywhere}, []string{"port"}, []string{"by: systemctl edit UNIT.socket"}},
	} {
		var b bytes.Buffer
		o, err := parseArgs(append(strings.Fields(tt.args), "-systemd"), lookupIn(tt.env))
		require.NoError(t, err, name)
		units := tt.units
		if units == nil {
			units = []string{"epmd.socket"}
		}
		warnOverridden(newLogger(o, &b), o, tt.passed, units)
		lines := strings.SplitAfter(b.String(), "\n")
		require.Len(t, lines, len(tt.want)+1, "%s: %q", name, lines)
		for i, want := range tt.want {
			require.Contains(t, lines[i], want, name)
			if tt.units == nil {
				require.Contains(t, lines[i], edit, name)
			}
		}
	}
}
