package main

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
)

// prefixes are networks, and never nil.
func prefixes(texts ...string) []netip.Prefix {
	list := []netip.Prefix{}
	for _, s := range texts {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}

// TestBadNetworks: what is no network is told, with the flag and what to write.
func TestBadNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"bogus":               `-allow_register: "bogus" is no network: write one like`,
		"10.0.0.0/33":         `"10.0.0.0/33" is no network`,
		"10.0.0.0/":           `"10.0.0.0/" is no network`,
		"fe80::1%eth0":        `"fe80::1%eth0" is no network`,
		"-d":                  `"-d" is no network`,
		"10.1.0.0/16,10.1":    `"10.1" is no network`,
		"10.1.2.3/16":         `"10.1.2.3/16" has an address inside of the network: write 10.1.0.0/16 for the network, or 10.1.2.3 for the address`,
		"fd00:1::/32,fd00::/": `"fd00::/" is no network`,
	} {
		_, err := parseArgs([]string{"-allow_register", text}, lookupIn(nil))
		require.ErrorContains(t, err, want)
		require.NotErrorIs(t, err, errUsage)
	}
	for _, more := range [][]string{nil, {"-daemon"}} {
		got := call(t, program, append([]string{"-allow_stop", "10.1.2.3/16"}, more...)...)
		require.Equal(t, 1, got.Status)
		require.Contains(t, got.Stderr, "epmd: -allow_stop: ")
		require.Equal(t, 1, strings.Count(got.Stderr, "\n"))
	}
}

// TestEveryListIsSet: each flag leads to the field of its name.
func TestEveryListIsSet(t *testing.T) {
	var s epmd.Server
	a := access{lookup: prefixes("10.1.0.0/16"), names: prefixes("10.2.0.0/16"), register: prefixes("10.3.0.0/16"), stop: prefixes("10.4.0.0/16")}
	a.set(&s)
	require.Equal(t, a, access{s.AllowLookup, s.AllowNames, s.AllowRegister, s.AllowStop})
	require.Nil(t, a.list("-allow_kill"))
}

// TestOpenWarning: with -d it is told that strangers can ask, if they can.
func TestOpenWarning(t *testing.T) {
	for name, tt := range map[string]struct {
		bound string
		a     access
		warns bool
	}{
		"all addresses":         {bound: "0.0.0.0", warns: true},
		"all of IPv6":           {bound: "::", warns: true},
		"public":                {bound: "192.0.2.1", warns: true},
		"public, of IPv6":       {bound: "2001:db8::1", warns: true},
		"loopback":              {bound: "127.0.0.1"},
		"loopback of IPv6":      {bound: "::1"},
		"private":               {bound: "10.1.2.3"},
		"private, of IPv6":      {bound: "fd00::1"},
		"link-local":            {bound: "fe80::1"},
		"closed by lists":       {bound: "0.0.0.0", a: access{lookup: prefixes(), names: prefixes("10.0.0.0/8")}},
		"half closed by lists":  {bound: "0.0.0.0", a: access{lookup: prefixes()}, warns: true},
		"lists of all networks": {bound: "::", a: access{lookup: prefixes("::/0"), names: prefixes()}, warns: true},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			lns := []net.Listener{boundTo(tt.bound), boundTo("127.0.0.1")}
			warnIfOpen(newLogger(options{debug: 1}, &b), tt.a, lns)
			require.Equal(t, tt.warns, b.Len() > 0, b.String())
			if tt.warns {
				require.Contains(t, b.String(), "-address 127.0.0.1")
				require.Contains(t, b.String(), lns[0].Addr().String())
				require.NotContains(t, b.String(), lns[1].Addr().String())
			}
		})
	}
	require.False(t, isOpen(&net.UnixAddr{Name: "/run/epmd"}))
}

// boundTo is a listener that says it is bound to an address.
type boundTo string

func (b boundTo) Accept() (net.Conn, error) { return nil, io.EOF }
func (b boundTo) Close() error              { return nil }
func (b boundTo) Addr() net.Addr            { return &net.TCPAddr{IP: net.ParseIP(string(b)), Port: 24369} }

// TestOpenWarningOfProgram: only with -d, since OTP's epmd is silent.
func TestOpenWarningOfProgram(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		warns bool
	}{
		{nil, false}, {[]string{"-d"}, true}, {[]string{"-d", "-address", "127.0.0.1"}, false},
	} {
		d := start(t, program, tt.args...)
		require.NoError(t, d.client().Kill(t.Context()))
		d.exit(t)
		require.Equal(t, tt.warns, strings.Contains(d.Stderr.String(), "the port is open"), "%q: %s", tt.args, &d.Stderr)
	}
}

// TestExitIdle: the program ends with status 0 when nobody has been registered for as long as
// it is told; with -d it says why, and else nothing, since nothing is wrong.
func TestExitIdle(t *testing.T) {
	d := start(t, program, "-d", "-exit_idle", "1")
	require.Zero(t, d.exit(t))
	require.Contains(t, d.Stderr.String(), "exit_idle=1s")

	d = start(t, program, "-exit_idle", "1")
	require.Zero(t, d.exit(t))
	require.Empty(t, d.Stderr.String())
}
