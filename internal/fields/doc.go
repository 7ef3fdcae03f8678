// Package fields names every byte of the requests and replies of EPMD, those of the
// multi-transport extension included, and says what OTP's epmd does with a request, good
// or bad. What is well formed is decided by wire, and what is answered by session; the
// names are laid out here.
package fields
