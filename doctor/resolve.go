package doctor

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// addresses is what came of a question for those of a host.
type addresses struct {
	all []netip.Addr
	err error
}

// resolve finds the addresses of a host, those of this side's family first.
func (w *walk) resolve(host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	a := w.found.get(host, func() addresses {
		began := time.Now()
		ctx, cancel := w.within()
		defer cancel()
		found, err := w.d.resolver().LookupNetIP(ctx, "ip", host)
		if err != nil {
			return addresses{err: unresolved(err, time.Since(began))}
		}
		var mine, other []netip.Addr
		for _, a := range found {
			a = a.Unmap()
			switch {
			case slices.Contains(mine, a) || slices.Contains(other, a):
			case w.d.mine(a):
				mine = append(mine, a)
			default:
				other = append(other, a)
			}
		}
		return addresses{all: append(mine, other...)}
	})
	return a.all, a.err
}

// unresolved is a resolver's error in a user's words.
func unresolved(err error, took time.Duration) error {
	var dns *net.DNSError
	switch {
	case isTimeout(err):
		return fmt.Errorf("nobody who knows names answered within %.1f s", took.Seconds())
	case !errors.As(err, &dns):
		return err
	case dns.IsNotFound:
		return errors.New("nobody knows it")
	}
	return fmt.Errorf("the name server failed (%s)", dns.Err)
}

// byFamily parts addresses into those that this side uses, and others.
func (w *walk) byFamily(addrs []netip.Addr) (mine, other []netip.Addr) {
	for _, a := range addrs {
		if w.d.mine(a) {
			mine = append(mine, a)
		} else {
			other = append(other, a)
		}
	}
	return mine, other
}

// oneFamily notes that a host has no address of this side's family.
func (w *walk) oneFamily(where string, addrs []netip.Addr) {
	if w.d.IPv6 {
		w.find(IPv4Only, where,
			fmt.Sprintf("%s is %s: there is no IPv6 address, and nodes with -proto_dist inet6_tcp use nothing else.", where, list(addrs)),
			"Give it an IPv6 address, or start all nodes of the cluster without -proto_dist inet6_tcp.")
		return
	}
	w.find(IPv6Only, where,
		fmt.Sprintf("%s is %s: there is no IPv4 address, and nodes use nothing else unless they are told to.", where, list(addrs)),
		"Give it an IPv4 address, or start all nodes of the cluster with -proto_dist inet6_tcp.")
}

// unlikeFamily notes that something is to be had by the other family.
func (w *walk) unlikeFamily(where string, at netip.AddrPort, what string) {
	if w.d.IPv6 {
		w.find(IPv4Only, where, fmt.Sprintf("%s at %s, by IPv4, and not by IPv6, which this side uses.", what, at),
			"Start all nodes with -proto_dist inet6_tcp, or none.")
		return
	}
	w.find(IPv6Only, where, fmt.Sprintf("%s at %s, by IPv6, and not by IPv4, which this side uses.", what, at),
		"Start all nodes with -proto_dist inet6_tcp, or none; and let EPMD listen on IPv4, too.")
}

func (d *Doctor) resolver() Resolver {
	if d.Resolver != nil {
		return d.Resolver
	}
	return net.DefaultResolver
}
