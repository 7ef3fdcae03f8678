// Package report takes what happens on connections to a server's figures, its log and its
// hooks.
package report
