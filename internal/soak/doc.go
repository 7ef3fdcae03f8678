// Package soak keeps a daemon busy for a while, with nodes that come and go, lookups, lists
// and every fault of internal/faults mixed at random, and then asks for the bill: each
// steady node still registered with its port, no file, goroutine or memory kept of
// those who are gone.
//
// scripts/soak.sh runs it.
package soak
