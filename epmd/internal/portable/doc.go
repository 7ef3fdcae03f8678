// Package portable is the engine for any system and any net.Listener: a goroutine for each
// listener and each connection.
package portable
