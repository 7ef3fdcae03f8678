package host

import (
	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/fuzz/machine"
)

// ForDiffer makes a target of the differential engine of a fresh daemon on the
// given port, in this program or as WebAssembly. Everything that is sent takes
// effect at once, so there is nothing to wait for.
func ForDiffer(d machine.Daemon, port uint16) differ.Target {
	return differ.Over(newTargetDaemon(d, port))
}
