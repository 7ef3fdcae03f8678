package nodes

import "fmt"

// short and long are the usual node of a version, with either kind of name. They do
// nothing by themselves, so that scenarios can share them.
func short(otp int) spec { return spec{otp: otp, name: fmt.Sprintf("n%d", otp)} }

func long(otp int) spec { return spec{otp: otp, name: fmt.Sprintf("l%d", otp), host: "127.0.0.1"} }

// plainGroup is nodes with the usual carrier.
func plainGroup() group {
	g := group{
		first: append(registered(), listed()...),
		lanes: append([][]scenario{pings("short", short, tcp), pings("long", long, tcp)}, across(
			taken(), hidden(), mute(), anonymous(), crash(), cnodes(), cnodesOld(), cnodesReached(),
		)...),
	}
	for _, otp := range versions {
		g.warm = append(g.warm, short(otp), long(otp))
	}
	return g
}
