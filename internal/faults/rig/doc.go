// Package rig is what experiments on a running daemon need: a program started with a
// limit of open files, its accounts in the operating system, clients that misbehave
// on purpose, and a network of their own. It is for Linux.
package rig
