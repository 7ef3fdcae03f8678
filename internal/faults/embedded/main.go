// Command embedded is a program with an epmd.Server in it, for experiments that want to
// choose the engine, or to look inside: for each line on its standard input it writes
// one of JSON with its figures. It knows the few flags of epmd that experiments use.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"time"

	"github.com/goepmd/goepmd/epmd"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "embedded:", err)
		os.Exit(1)
	}
}

func run() error {
	port := flag.Uint("port", 0, "the `port` to listen on")
	timeout := flag.Int("packet_timeout", 0, "`seconds` to complete a request")
	engine := flag.String("engine", "auto", "auto, epoll or portable")
	flag.Parse()
	s := &epmd.Server{
		Port:          uint16(*port),
		PacketTimeout: time.Duration(*timeout) * time.Second,
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	found := false
	for _, e := range []epmd.Engine{epmd.EngineAuto, epmd.EngineEpoll, epmd.EnginePortable} {
		if e.String() == *engine {
			s.Engine, found = e, true
		}
	}
	if !found {
		return fmt.Errorf("no engine %q: it is auto, epoll or portable", *engine)
	}
	go tell(s)
	return s.ListenAndServe(context.Background())
}

// tell writes the figures for each line that comes. It ends with the program.
func tell(s *epmd.Server) {
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		// What a sync.Pool holds goes with the second collection, its finalizers with the third.
		for range 3 {
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		err := out.Encode(map[string]any{
			"Goroutines": runtime.NumGoroutine(), "Heap": m.HeapAlloc, "Stats": counts(s.Stats()),
		})
		if err != nil {
			return // nobody reads any more
		}
	}
}

// counts are the figures that are not zero, by name; of those in lists, the sum.
func counts(s epmd.Stats) map[string]uint64 {
	out := make(map[string]uint64)
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		n := uint64(0)
		switch f := v.Field(i); f.Kind() {
		case reflect.Uint64:
			n = f.Uint()
		case reflect.Int:
			n = uint64(f.Int())
		case reflect.Array:
			for j := range f.Len() {
				n += f.Index(j).Uint()
			}
		}
		if n != 0 {
			out[v.Type().Field(i).Name] = n
		}
	}
	return out
}
