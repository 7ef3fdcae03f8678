// Package places counts the connections of an engine against the server's limits, and says
// who has to go when one is reached.
package places
