// Package dial is how a client reaches an EPMD that has several addresses, and in which
// words it says that it did not.
package dial
