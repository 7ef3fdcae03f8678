// Package nodes is the part of the conformance suite in which real nodes use a daemon:
// erl of OTP 23, 25, 27 and 29, Elixir, RabbitMQ, ejabberd, and nodes of OTP's libraries for
// Java and C, in containers that share this machine's network, against a daemon on its loopback.
//
// A [Suite] knows its scenarios by name, runs them side by side, and gives the same
// results as the rest of the suite. Each group of scenarios has a daemon of its own and
// starts its nodes when they are first needed; a node serves several scenarios where
// that does not blur what they show.
//
// It takes a Docker engine on this machine, and the images that
// docker/otp-images makes.
package nodes
