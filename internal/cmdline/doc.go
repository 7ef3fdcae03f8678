// Package cmdline is what the command lines of our programs have in common: help, version,
// completion, and what is said when one cannot be read. The drop-in epmd has its own, as
// OTP's has it.
package cmdline
