// Package testbed starts EPMD programs on ports of their own, waits until they answer, and
// is a raw client of them: segments go out as they are given, and an answer, an end and a
// reset are told apart. Suites, experiments and tests stand on it. It knows nothing of the
// protocol but one lookup.
package testbed

import "time"

// Patience bounds what should happen at once, on a machine that is busy.
const Patience = 20 * time.Second
