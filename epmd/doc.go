// Package epmd is the Erlang Port Mapper Daemon, to embed in a Go program: a
// [Server] that nodes of any OTP register with and find each other by, and a
// [Client] for any such daemon.
//
// Byte for byte, the server answers as OTP's own epmd does, and closes and keeps
// connections as it does. Where the original endangers those who depend on it
// (one reader that does not read stops everybody, many silent clients lock
// everybody out), the server gives the same answers without the danger; its
// fields say so.
//
// The decisions are made in the packages session, registry and wire, which do
// no I/O; this package moves bytes between them and the sockets. Nothing is
// global: a program may run several servers.
//
// # Supervisors
//
// A program that only embeds a server needs none of the following. It is for one that
// replaces a server, or has its registrations outlive a crash: [Server.Handoff] and
// [Server.Resume], by which two processes hand over while both live; [Held] and
// [Server.Restore], to begin with what was kept of a server that has ended;
// [Server.File], Server.ConnsKept and Server.OnEvent, to keep it. Package registry/state has
// the bytes in which names can be kept, and a journal.
package epmd
