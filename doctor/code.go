package doctor

// Code says what a [Finding] is. Codes stay what they are from release to release.
type Code string

// The codes, and what keeps nodes from finding each other with each.
const (
	// NameResolution: the host's name has no address, or nobody can be asked for it.
	NameResolution Code = "name-resolution"
	// OwnNameResolution: this machine's own name has none.
	OwnNameResolution Code = "own-name-resolution"
	// OwnNameElsewhere: this machine's own name leads to another machine.
	OwnNameElsewhere Code = "own-name-elsewhere"
	// ResolvesToLoopback: the name of another host leads to this machine itself.
	ResolvesToLoopback Code = "resolves-to-loopback"
	// IPv6Only: what is asked for is to be had by IPv6 only, and this side uses IPv4.
	IPv6Only Code = "ipv6-only"
	// IPv4Only: the other way round.
	IPv4Only Code = "ipv4-only"

	// EPMDUnreachable: connections to EPMD's port are refused: nobody listens there.
	EPMDUnreachable Code = "epmd-unreachable"
	// HostUnreachable: no machine answers at an address of the host, or there is no way to it.
	HostUnreachable Code = "host-unreachable"
	// EPMDFiltered: a firewall drops or refuses connections to EPMD's port.
	EPMDFiltered Code = "epmd-filtered"
	// EPMDSilent: connections are taken, and nothing answers.
	EPMDSilent Code = "epmd-silent"
	// EPMDCloses: connections are closed unanswered: EPMD is full, or does not want us.
	EPMDCloses Code = "epmd-closes"
	// NotAnEPMD: what answers at EPMD's port is something else.
	NotAnEPMD Code = "not-an-epmd"
	// WrongAddress: EPMD listens on some addresses of its host, and not on one to which the
	// host's name leads.
	WrongAddress Code = "wrong-address"
	// TwoEPMDs: at two addresses of one host, the same port is that of different EPMDs.
	TwoEPMDs Code = "two-epmds"
	// PortMismatchEnv: the name is registered with an EPMD at another port than that which
	// this side asks: ERL_EPMD_PORT is set for one side only, or differently.
	PortMismatchEnv Code = "port-mismatch-env"

	// NameNotRegistered: EPMD does not know the name.
	NameNotRegistered Code = "name-not-registered"
	// RegistrationLost: EPMD does not know the name of a node that runs on this machine.
	RegistrationLost Code = "registration-lost"
	// NotListening: the node was told to take no connections: -dist_listen false.
	NotListening Code = "not-listening"
	// WithoutEPMD: the node was told to go without EPMD: -epmd_module, -erl_epmd_port.
	WithoutEPMD Code = "without-epmd"
	// VersionMismatch: the node speaks no version of the distribution protocol that today's
	// nodes speak.
	VersionMismatch Code = "version-mismatch"

	// StaleRegistration: nobody listens on the registered port on this machine: the name is
	// held by the connection of a node that is gone, or by something that is none.
	StaleRegistration Code = "stale-registration"
	// PortRefused: connections to the registered port on another machine are refused.
	PortRefused Code = "port-refused"
	// PortFiltered: a firewall drops or refuses connections to the registered port.
	PortFiltered Code = "port-filtered"
	// PortWrongAddress: the node listens on some addresses of its host, and not on that to
	// which the host's name leads.
	PortWrongAddress Code = "port-wrong-address"
	// NotADistributionPort: what answers at the registered port is no Erlang node.
	NotADistributionPort Code = "not-a-distribution-port"
	// HandshakeSilent: connections to the registered port are taken, and nothing answers.
	HandshakeSilent Code = "handshake-silent"
	// TLSPort: the node speaks TLS, and this side does not.
	TLSPort Code = "tls-port"
	// PlainPort: this side speaks TLS, and the node does not.
	PlainPort Code = "plain-port"
	// TLSCertificate: the node's certificate is out of date, or that of another host.
	TLSCertificate Code = "tls-certificate"
	// NodeNameMismatch: the node calls itself by another name than that which was asked for.
	NodeNameMismatch Code = "node-name-mismatch"
	// NotAllowed: the node refuses connections from names that it does not know.
	NotAllowed Code = "not-allowed"
	// CookieMismatch: the node has another cookie.
	CookieMismatch Code = "cookie-mismatch"
)

// Codes are all codes, in the order of the way.
func Codes() []Code {
	return []Code{
		NameResolution, OwnNameResolution, OwnNameElsewhere, ResolvesToLoopback, IPv6Only, IPv4Only,
		HostUnreachable, EPMDUnreachable, EPMDFiltered, EPMDSilent, EPMDCloses, NotAnEPMD, WrongAddress, TwoEPMDs, PortMismatchEnv,
		NameNotRegistered, RegistrationLost, NotListening, WithoutEPMD, VersionMismatch,
		StaleRegistration, PortRefused, PortFiltered, PortWrongAddress, NotADistributionPort, HandshakeSilent,
		TLSPort, PlainPort, TLSCertificate, NodeNameMismatch, NotAllowed, CookieMismatch,
	}
}
