// Package handover is the protocol by which one server hands all that it holds over to
// another process, on Linux. docs/upgrade.md tells why it is as it is.
package handover
