// Command playground is a daemon to try out in a browser: the WebAssembly module
// of fuzz/wasm and a page that shows, byte by byte, what is said to it and what it
// answers. It builds the module with the go command, and serves the page until it
// is interrupted:
//
//	go run ./examples/playground
//
// or writes the files, which any web server can serve:
//
//	go run ./examples/playground -out DIR
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

// closing is how long requests under way may take when the program ends.
const closing = 5 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:24400", "serve on this `address`")
	out := flag.String("out", "", "write the files to this `folder` and serve nothing")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*addr, *out); err != nil {
		log.Fatal("playground: ", err)
	}
}

func run(addr, out string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := buildSite(ctx)
	if err != nil {
		return err
	}
	if out != "" {
		return s.write(out)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	return serve(ctx, l, s)
}

// serve serves a site until the context ends.
func serve(ctx context.Context, l net.Listener, s site) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: closing}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	return errors.Join(server.Shutdown(last), ignoreClosed(<-ended))
}

// ignoreClosed passes over the error by which a server says that it was asked to
// end.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
