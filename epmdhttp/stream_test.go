package epmdhttp_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdhttp"
	"github.com/goepmd/goepmd/wire"
)

// reader reads a stream.
type reader struct {
	t    *testing.T
	resp *http.Response
	in   *bufio.Reader
}

func look(t *testing.T, url string) *reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url+"events", nil)
	require.NoError(t, err)
	transport := new(http.Transport)
	resp, err := transport.RoundTrip(r)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = resp.Body.Close() // it may have ended
		transport.CloseIdleConnections()
	})
	return &reader{t, resp, bufio.NewReader(resp.Body)}
}

// next reads one event.
func (r *reader) next() (kind, data string, err error) {
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		line = strings.TrimSuffix(line, "\n")
		if value, is := strings.CutPrefix(line, "event: "); is {
			kind = value
		}
		if value, is := strings.CutPrefix(line, "data: "); is {
			data = value
		}
		if line == "" {
			return kind, data, nil
		}
	}
}

// want reads up to the next event of a kind.
func (r *reader) want(kind string, into any) {
	r.t.Helper()
	for {
		got, data, err := r.next()
		require.NoError(r.t, err)
		if got == kind {
			require.NoError(r.t, json.Unmarshal([]byte(data), into))
			return
		}
	}
}

// snapshot reads a whole one, with the parts that come before it, and passes other things
// over.
func (r *reader) snapshot() (doc epmdhttp.Document) {
	r.t.Helper()
	var nodes []epmdhttp.Node
	for {
		kind, data, err := r.next()
		require.NoError(r.t, err)
		switch kind {
		case "nodes":
			var part []epmdhttp.Node
			require.NoError(r.t, json.Unmarshal([]byte(data), &part))
			nodes = append(nodes, part...)
		case "snapshot":
			require.NoError(r.t, json.Unmarshal([]byte(data), &doc))
			doc.Nodes = append(nodes, doc.Nodes...)
			return doc
		}
	}
}

// requireEnd reads to the end.
func (r *reader) requireEnd() {
	r.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = r.resp.Body.Close() })
	defer timer.Stop()
	for {
		if _, _, err := r.next(); err != nil {
			require.True(r.t, timer.Stop(), "the stream does not end")
			return
		}
	}
}

// change is what a stream tells of an event.
type change struct {
	Seq       uint64
	Time      time.Time
	Kind, Why string
	Left      int
	Node      epmdhttp.Node
}

// TestStream: a page is told what is, what changes, and the figures.
func TestStream(t *testing.T) {
	s := newSite(t, epmdhttp.Options{})
	s.Node("alpha", 9001)
	r := look(t, s.url)
	require.Equal(t, "text/event-stream", r.resp.Header.Get("Content-Type"))
	var doc epmdhttp.Document
	r.want("snapshot", &doc)
	require.Equal(t, "alpha", doc.Nodes[0].Name)
	require.EqualValues(t, 1, doc.Seq)

	beta := s.Node("beta", 9002)
	var changes []change
	r.want("changes", &changes)
	require.Len(t, changes, 1)
	c := changes[0]
	require.Equal(t, "registered", c.Kind)
	require.EqualValues(t, 2, c.Seq)
	require.Equal(t, 1, c.Left)
	require.Equal(t, "beta", c.Node.Name)
	require.Equal(t, beta.Creation(), c.Node.Creation)
	require.Equal(t, c.Time, c.Node.Since)
	require.Contains(t, c.Node.Transports[0].From, "127.0.0.1:")

	_, err := s.Client().Register(t.Context(), wire.Node{Name: "beta", Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
	require.Error(t, err)
	changes = nil
	r.want("changes", &changes)
	require.Equal(t, "refused", changes[0].Kind)
	require.Equal(t, "taken", changes[0].Why)
	require.Zero(t, changes[0].Node.Since)

	require.NoError(t, beta.Close())
	changes = nil
	r.want("changes", &changes)
	require.Equal(t, "unregistered", changes[0].Kind)
	require.Equal(t, "closed", changes[0].Why)

	var told struct {
		Time    time.Time
		Figures map[string]float64
	}
	r.want("figures", &told)
	require.Equal(t, 1.0, told.Figures["epmd_nodes"])
	require.Equal(t, 1.0, told.Figures[`epmd_registrations_ended_total{reason="closed"}`])
}

// TestStreamCatchesUp: who misses events gets another snapshot, that lacks nothing.
func TestStreamCatchesUp(t *testing.T) {
	s := newSite(t, epmdhttp.Options{})
	r := look(t, s.url)
	doc := r.snapshot()
	require.Empty(t, doc.Nodes)
	const many = 20001 // more than the buffer, and one more than a page is given
	s.fill(t, many)
	for len(doc.Nodes) < many-1 {
		doc = r.snapshot()
	}
	require.Equal(t, fmt.Sprint("n", many-1), doc.Nodes[0].Name, "the newest come first")
	require.EqualValues(t, many, doc.Seq)
	require.EqualValues(t, many, doc.Figures["epmd_nodes"])
}

// TestStreamsAreBounded: one page too many is told to come again, and there is room when
// another goes.
func TestStreamsAreBounded(t *testing.T) {
	s := newSite(t, epmdhttp.Options{MaxStreams: 2})
	first, second := look(t, s.url), look(t, s.url)
	var doc epmdhttp.Document
	first.want("snapshot", &doc)
	second.want("snapshot", &doc)
	third := look(t, s.url)
	require.Equal(t, 503, third.resp.StatusCode)
	require.Equal(t, "10", third.resp.Header.Get("Retry-After"))
	require.NoError(t, first.resp.Body.Close())
	require.Eventually(t, func() bool { return look(t, s.url).resp.StatusCode == 200 }, patience, 10*time.Millisecond)
}

// TestStreamEnds with the server, and with the handler.
func TestStreamEnds(t *testing.T) {
	for name, end := range map[string]func(*site) error{
		"server":  func(s *site) error { return s.Close() },
		"handler": func(s *site) error { return s.handler.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, epmdhttp.Options{})
			r := look(t, s.url)
			var doc epmdhttp.Document
			r.want("snapshot", &doc)
			require.NoError(t, end(s))
			r.requireEnd()
		})
	}
}

// TestStreamOutlivesTimeouts: the timeouts of the http.Server are not the stream's.
func TestStreamOutlivesTimeouts(t *testing.T) {
	s := newSite(t, epmdhttp.Options{})
	web := httptest.NewUnstartedServer(s.handler)
	web.Config.ReadTimeout, web.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	web.Start()
	r := look(t, web.URL+"/")
	for range 3 {
		var told map[string]any
		r.want("figures", &told)
	}
	require.NoError(t, r.resp.Body.Close())
	web.Close()
}

// TestStreamNeedsBounds: where a reader that does not read could not be cut, there is no
// stream.
func TestStreamNeedsBounds(t *testing.T) {
	w := httptest.NewRecorder()
	epmdhttp.New(new(epmd.Server), epmdhttp.Options{}).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/events", nil))
	require.Equal(t, 500, w.Code)
	require.Contains(t, w.Body.String(), "cannot stream within bounds")
}
