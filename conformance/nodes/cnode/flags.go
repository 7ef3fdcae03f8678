package cnode

// What a node can do, as it says in the handshake.
const (
	flagPublished       = 1 << 0 // absent: a hidden node
	flagExtendedRefs    = 1 << 2
	flagMonitor         = 1 << 3
	flagFunTags         = 1 << 4
	flagMonitorName     = 1 << 5
	flagNewFunTags      = 1 << 7
	flagExtendedPids    = 1 << 8
	flagExportPtr       = 1 << 9
	flagBitBinaries     = 1 << 10
	flagNewFloats       = 1 << 11
	flagUTF8Atoms       = 1 << 16
	flagMaps            = 1 << 17
	flagBigCreation     = 1 << 18
	flagHandshake23     = 1 << 24
	flagUnlinkID        = 1 << 25
	flagMandatoryDigest = 1 << 26 // stands for all that OTP 25 demands
	flagV4NC            = 1 << 34 // processes and ports with more digits
)

// flags are what OTP 26 and later demand of a peer, and to be watched by
// processes of the peer, as they watch whom they call. The peer
// must not send what no flag here allows, an atom cache above all. What is allowed
// and not understood, such as a fun, fails as a term.
const flags uint64 = flagExtendedRefs | flagMonitor | flagFunTags | flagMonitorName | flagNewFunTags |
	flagExtendedPids | flagExportPtr | flagBitBinaries | flagNewFloats | flagUTF8Atoms | flagMaps |
	flagBigCreation | flagHandshake23 | flagUnlinkID | flagMandatoryDigest | flagV4NC
