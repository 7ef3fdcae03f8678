// Package engine is what both engines are given by their server, and how they end. Neither
// knows a server, or the other engine.
package engine
