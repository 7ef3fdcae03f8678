package dial

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Loopbacks are the addresses of this machine's EPMD. Nodes register at the first.
func Loopbacks(port string) []string {
	return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
}

// Addresses are those of a host, IPv4 first, since nodes use that unless told otherwise.
// The error is a [Failure].
func Addresses(ctx context.Context, host, port string) ([]string, error) {
	began := time.Now()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		failed := Failure{{host, time.Since(began), err}}
		if ctx.Err() != nil {
			return nil, ended{failed, context.Cause(ctx)}
		}
		return nil, failed
	}
	return ordered(found, port), nil
}

func ordered(found []netip.Addr, port string) []string {
	var four, six []string
	for _, a := range found {
		a = a.Unmap()
		list := &four
		if a.Is6() {
			list = &six
		}
		if address := net.JoinHostPort(a.String(), port); !slices.Contains(*list, address) {
			*list = append(*list, address)
		}
	}
	return append(four, six...)
}
