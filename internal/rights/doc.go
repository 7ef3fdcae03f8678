// Package rights holds the test that plays every request from every kind of peer, over
// real addresses in a network of its own, and compares what comes of it with the table
// of docs/security.md.
package rights
