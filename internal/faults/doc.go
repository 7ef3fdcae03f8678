// Package faults holds the experiments that stop, freeze or lock out OTP's epmd, as tests
// of this one: of the program, on the epoll engine, and of a small one on the portable
// engine. OTP's own is put through the same where it is installed, and a table sets
// them side by side (docs/faults.md). What is asserted is what must happen and in
// which order, within bounds that a busy machine keeps; times are only shown.
//
// `make proof` runs all of them.
package faults
