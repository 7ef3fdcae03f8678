package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/goepmd/goepmd/epmd"
)

// access is the networks that have a right besides this machine, as the fields of
// epmd.Server say.
type access struct {
	lookup, names, register, stop []netip.Prefix
}

// list is the one of a flag; nil is no such flag.
func (a *access) list(flag string) *[]netip.Prefix {
	switch flag {
	case "-allow_lookup":
		return &a.lookup
	case "-allow_names":
		return &a.names
	case "-allow_register":
		return &a.register
	case "-allow_stop":
		return &a.stop
	}
	return nil
}

// set gives the lists to a server.
func (a *access) set(s *epmd.Server) {
	s.AllowLookup, s.AllowNames, s.AllowRegister, s.AllowStop = a.lookup, a.names, a.register, a.stop
}

// parseNetworks reads networks as CIDR, or single addresses, with commas or blanks
// between. The list is not nil, even if nothing is in it.
func parseNetworks(flag, text string) ([]netip.Prefix, error) {
	list := []netip.Prefix{}
	for _, word := range strings.FieldsFunc(text, isSeparator) {
		n, err := parseNetwork(word)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		list = append(list, n)
	}
	return list, nil
}

func parseNetwork(word string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(word); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(word)
	if err != nil {
		return n, fmt.Errorf("%q is no network: write one like 10.1.0.0/16 or fd00:1::/32, or an address", word)
	}
	// Of 10.1.2.3/8 nobody can tell whether the address or the length is a mistake.
	if m := n.Masked(); m != n {
		return n, fmt.Errorf("%q has an address inside of the network: write %s for the network, or %s for the address", word, m, n.Addr())
	}
	return n, nil
}

// isSeparator is what stands between addresses, and between networks.
func isSeparator(r rune) bool { return r == ',' || r == ' ' }
