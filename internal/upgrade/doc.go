// Package upgrade holds the experiments on a daemon that is replaced while it runs, or
// killed under a supervisor: with a thousand nodes, real ones of OTP among them, and
// lookups all the while.
package upgrade
