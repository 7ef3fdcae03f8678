package epmdhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmdhttp"
)

// slowReader is an http.ResponseWriter whose reader takes no part of the nodes until it is
// told to.
type slowReader struct {
	head    http.Header
	body    bytes.Buffer
	longest int           // of the writes
	waits   chan struct{} // closed when something waits to be taken
	takes   chan struct{} // to close
	begin   sync.Once
}

func newSlowReader() *slowReader {
	return &slowReader{head: http.Header{}, waits: make(chan struct{}), takes: make(chan struct{})}
}

func (r *slowReader) Header() http.Header { return r.head }
func (r *slowReader) WriteHeader(int)     {}
func (r *slowReader) Write(b []byte) (int, error) {
	if len(b) > 1<<14 {
		r.begin.Do(func() { close(r.waits) })
		<-r.takes
	}
	r.longest = max(r.longest, len(b))
	return r.body.Write(b)
}
func (r *slowReader) SetReadDeadline(time.Time) error  { return nil }
func (r *slowReader) SetWriteDeadline(time.Time) error { return nil }
func (r *slowReader) FlushError() error                { return nil }

// held is the memory in use, in bytes.
func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestManyNodesHoldLittle: however many nodes there are, a part of them is in memory for a
// reader that takes its time, and meanwhile the daemon serves.
func TestManyNodesHoldLittle(t *testing.T) {
	const many = 50_000
	s := newSite(t, epmdhttp.Options{})
	s.fill(t, many)
	for _, path := range []string{"nodes", "events"} {
		t.Run(path, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r := newSlowReader()
			before := held()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				s.handler.ServeHTTP(r, httptest.NewRequestWithContext(ctx, "GET", "http://localhost/"+path, nil))
			}()
			<-r.waits
			require.Less(t, held()-before, int64(2<<20), "bytes held for one reader")
			meanwhile := s.Node("meanwhile", 1) // the registry is not locked
			require.NoError(t, meanwhile.Close())
			close(r.takes)
			if path == "events" {
				cancel() // which ends the stream after its snapshot
			}
			<-ended
			cancel()
			require.Less(t, r.longest, 1<<17)
			if path == "events" {
				snapshot, _, _ := strings.Cut(r.body.String(), "event: changes")
				require.Contains(t, snapshot, "event: nodes\ndata: [{")
				require.Contains(t, snapshot, "event: snapshot\n")
				require.Equal(t, 20_000, strings.Count(snapshot, `"creation":`), "the newest")
				return
			}
			var doc epmdhttp.Document
			require.NoError(t, json.Unmarshal(r.body.Bytes(), &doc))
			require.Equal(t, many, len(doc.Nodes)) // Len would print them
			require.Equal(t, "n49999", doc.Nodes[0].Name)
			require.Equal(t, "n0", doc.Nodes[many-1].Name)
		})
	}
}

// TestReadersOfNodesAreBounded: one too many is told to come again, and there is room when
// another goes.
func TestReadersOfNodesAreBounded(t *testing.T) {
	s := newSite(t, epmdhttp.Options{})
	s.fill(t, 500)
	var wg sync.WaitGroup
	var readers []*slowReader
	for range 8 {
		r := newSlowReader()
		readers = append(readers, r)
		wg.Go(func() { s.handler.ServeHTTP(r, httptest.NewRequest("GET", "http://localhost/nodes", nil)) })
		<-r.waits
	}
	got := ask(t, "GET", s.url+"nodes", "")
	require.Equal(t, 503, got.status)
	require.Equal(t, "10", got.head.Get("Retry-After"))
	require.Contains(t, got.body, "too many read the nodes")
	require.Equal(t, 200, ask(t, "GET", s.url+"healthz", "").status)
	for _, r := range readers {
		close(r.takes)
	}
	wg.Wait()
	require.Equal(t, 200, ask(t, "GET", s.url+"nodes", "").status)
}
