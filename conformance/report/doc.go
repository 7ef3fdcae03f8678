// Package report writes what a run of the conformance suite found: for a terminal,
// as JSON, as JUnit's XML, and as one HTML page that needs nothing else.
package report
