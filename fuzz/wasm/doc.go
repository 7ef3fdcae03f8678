//go:build wasip1

// Command wasm is an EPMD as a WebAssembly module: package machine behind the
// functions that README.md describes. It is a reactor: it has no main loop, asks
// for no file and no network, and does something only when it is called.
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o epmd.wasm ./fuzz/wasm
package main

func main() {}
