// Package fuzz holds the fuzz targets of the project, and what they check: each
// Check function says what must hold for any bytes, and returns an error where it
// does not. README.md says how to run them.
package fuzz
