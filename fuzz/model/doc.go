// Package model is EPMD's rules written down as plainly as they can be said, to
// hold the real thing to: slices and loops, no maps, no lists kept, nothing fast.
// It was written from the rules, not from the code that it judges, and a test
// holds it to OTP's own epmd.
//
// [Names] is who is registered and what is remembered; [Daemon] is what is
// answered to each request; [Framing] is where a request ends. The rest makes
// what is fed to both sides: names, nodes, requests.
package model
