// Package house holds the tests that keep the project's structure: which package
// may import which, and that what the README shows is what the code does.
package house
