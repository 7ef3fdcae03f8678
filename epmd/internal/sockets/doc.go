// Package sockets is what engines ask of the system about descriptors, addresses and
// listeners.
package sockets
