package epmdhttp_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdhttp"
	"github.com/goepmd/goepmd/wire"
)

// answer is what came back.
type answer struct {
	status int
	head   http.Header
	body   string
}

// ask makes a request, for another host than the address if one is given.
func ask(t *testing.T, method, url, host string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	if host != "" {
		r.Host = host
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	http.DefaultClient.CloseIdleConnections()
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// TestNodes holds the JSON to its documented form, field by field.
func TestNodes(t *testing.T) {
	s := newSite(t, epmdhttp.Options{Version: "1.2.3"})
	begun := time.Now()
	alpha, err := s.Client().Register(t.Context(), wire.Node{Name: "alpha", Port: 9001, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
	require.NoError(t, err)
	defer alpha.Close()
	c1, err := s.Client().Register(t.Context(), wire.Node{Name: "c1", Port: 9002, Type: wire.NodeTypeHidden, Protocol: 1, Highest: 5, Lowest: 5, Extra: "\x01\xff"})
	require.NoError(t, err)
	defer c1.Close()
	odd, err := s.Client().Register(t.Context(), wire.Node{Name: "<odd> & ü", Port: 0, Type: 5, Highest: 6, Lowest: 5})
	require.NoError(t, err)
	defer odd.Close()

	got := ask(t, "GET", s.url+"nodes", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "application/json", got.head.Get("Content-Type"))
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &doc))
	require.Equal(t, float64(epmdhttp.Schema), doc["schema"])
	require.Equal(t, 3.0, doc["seq"])
	require.Equal(t, map[string]any{"version": "1.2.3", "addresses": []any{s.Addr}}, doc["server"])
	require.Equal(t, 3.0, doc["figures"].(map[string]any)["epmd_nodes"])
	require.Equal(t, 3.0, doc["figures"].(map[string]any)[`epmd_requests_total{kind="ALIVE2_REQ",result="answered"}`])
	nodes := doc["nodes"].([]any)
	require.Len(t, nodes, 3)
	for _, n := range nodes {
		n := n.(map[string]any)
		since, err := time.Parse(time.RFC3339, n["since"].(string))
		require.NoError(t, err)
		require.WithinRange(t, since, begun.Add(-time.Second), time.Now())
		delete(n, "since")
		at := n["transports"].([]any)[0].(map[string]any)
		host, _, err := net.SplitHostPort(at["from"].(string))
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1", host)
		require.NotZero(t, at["owner"])
		delete(at, "from")
		delete(at, "owner")
	}
	transports := func(port float64) []any { return []any{map[string]any{"port": port}} }
	require.Equal(t, []any{
		map[string]any{"name": "<odd> & ü", "type": "node of type 5", "protocol": 0.0, "highest": 6.0, "lowest": 5.0, "creation": float64(odd.Creation()), "transports": transports(0)},
		map[string]any{"name": "c1", "type": "hidden node", "protocol": 1.0, "highest": 5.0, "lowest": 5.0, "creation": float64(c1.Creation()), "extra": "01ff", "transports": transports(9002)},
		map[string]any{"name": "alpha", "type": "node", "protocol": 0.0, "highest": 6.0, "lowest": 5.0, "creation": float64(alpha.Creation()), "transports": transports(9001)},
	}, nodes)
}

// TestNodesTransports: each transport of a node tells who holds it.
func TestNodesTransports(t *testing.T) {
	s := newSite(t, epmdhttp.Options{})
	tcp := s.alive3(t, "inet_tcp", 9001)
	tls := s.alive3(t, "inet_tls", 9002)
	var doc epmdhttp.Document
	require.NoError(t, json.Unmarshal([]byte(ask(t, "GET", s.url+"nodes", "").body), &doc))
	require.Len(t, doc.Nodes, 1)
	got := doc.Nodes[0].Transports
	require.Len(t, got, 2)
	for i, want := range []epmdhttp.Transport{
		{Name: "inet_tcp", Port: 9001, From: tcp.LocalAddr().String()},
		{Name: "inet_tls", Port: 9002, From: tls.LocalAddr().String()},
	} {
		require.NotZero(t, got[i].Owner)
		require.NotZero(t, got[i].Since)
		want.Owner, want.Since = got[i].Owner, got[i].Since
		require.Equal(t, want, got[i])
	}
}

// TestMetrics: the metrics are the server's and the program's, or what the options say.
func TestMetrics(t *testing.T) {
	s := newSite(t, epmdhttp.Options{Version: "1.2.3", Labels: prometheus.Labels{"server": "a"}})
	s.Node("alpha", 1)
	got := ask(t, "GET", s.url+"metrics", "")
	require.Equal(t, 200, got.status)
	require.Contains(t, got.body, `epmd_nodes{server="a"} 1`)
	require.Regexp(t, `epmd_build_info\{.*version="1\.2\.3"\} 1`, got.body)
	require.Contains(t, got.body, "go_goroutines ")

	other := newSite(t, epmdhttp.Options{Gatherer: prometheus.NewRegistry()})
	require.Empty(t, ask(t, "GET", other.url+"metrics", "").body)
}

// TestReadOnly: nothing but looking is possible, everywhere.
func TestReadOnly(t *testing.T) {
	s := newSite(t, epmdhttp.Options{})
	for _, path := range []string{"", "events", "nodes", "metrics", "healthz", "readyz", "nothing"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			got := ask(t, method, s.url+path, "")
			require.Equal(t, http.StatusMethodNotAllowed, got.status, "%s %s", method, path)
			require.Equal(t, "GET, HEAD", got.head.Get("Allow"))
		}
		want := http.StatusOK
		if path == "nothing" {
			want = http.StatusNotFound
		}
		got := ask(t, "HEAD", s.url+path, "")
		require.Equal(t, want, got.status, path)
		require.Empty(t, got.body)
		require.Equal(t, "nosniff", got.head.Get("X-Content-Type-Options"))
		require.Equal(t, "no-store", got.head.Get("Cache-Control"))
		require.Contains(t, got.head.Get("Content-Security-Policy"), "default-src 'none'")
		require.Empty(t, got.head.Get("Access-Control-Allow-Origin"))
	}
}

// TestHosts: over loopback only those names are answered for that nobody else can point
// there.
func TestHosts(t *testing.T) {
	s := newSite(t, epmdhttp.Options{Hosts: []string{"Proxy.example"}})
	for host, want := range map[string]int{
		"":                       200,
		"localhost":              200,
		"LOCALHOST:80":           200,
		"localhost.":             200,
		"epmd.localhost":         200,
		"127.0.0.1:1":            200,
		"127.9.9.9":              200,
		"[::1]":                  200,
		"[::1]:80":               200,
		"[::ffff:127.0.0.1]:80":  200,
		"proxy.EXAMPLE:443":      200,
		"evil.example":           421,
		"localhost.evil.example": 421,
		"evillocalhost":          421,
		"192.0.2.1":              421,
	} {
		for _, path := range []string{"", "nodes", "metrics", "events"} {
			method := "GET"
			if path == "events" {
				method = "HEAD"
			}
			require.Equal(t, want, ask(t, method, s.url+path, host).status, "%s for %q", path, host)
		}
	}
	require.Contains(t, ask(t, "GET", s.url, "evil.example").body, "ask for one of those, or set Options.Hosts")

	open := newSite(t, epmdhttp.Options{Hosts: []string{"*"}})
	require.Equal(t, 200, ask(t, "GET", open.url, "evil.example").status)

	elsewhere := func(host string, local any) int {
		ctx := t.Context()
		if local != nil {
			ctx = context.WithValue(ctx, http.LocalAddrContextKey, local)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "http://"+host+"/healthz", nil))
		return w.Code
	}
	for _, a := range []any{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 80}, told("192.0.2.1:80")} {
		require.Equal(t, 200, elsewhere("anything.example", a), a)
	}
	for _, a := range []any{nil, "192.0.2.1:80", &net.TCPAddr{}, &net.UnixAddr{Name: "/run/page"}, told("127.0.0.1:80"), told("elsewhere")} {
		require.Equal(t, 421, elsewhere("anything.example", a), a)
		require.Equal(t, 200, elsewhere("localhost", a), a)
	}
}

// told is an address of a kind of a program's own.
type told string

func (told) Network() string  { return "told" }
func (t told) String() string { return string(t) }

// TestHealth: a server that does not serve is not well, and one that listens no more is
// not ready.
func TestHealth(t *testing.T) {
	health := func(s *epmd.Server, path string) (int, string) {
		w := httptest.NewRecorder()
		epmdhttp.New(s, epmdhttp.Options{}).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
		return w.Code, w.Body.String()
	}
	s := newSite(t, epmdhttp.Options{})
	for _, path := range []string{"/healthz", "/readyz"} {
		code, text := health(new(epmd.Server), path)
		require.Equal(t, 503, code, "it does not serve yet")
		require.Contains(t, text, "not well: the daemon does not serve")
		s.WaitNames()
		_, err := s.Client().Names(t.Context())
		require.NoError(t, err)
		code, text = health(s.Server.Server, path)
		require.Equal(t, 200, code)
		require.Equal(t, "ok\n", text)
	}
	require.NoError(t, s.Close())
	for _, path := range []string{"/healthz", "/readyz"} {
		code, _ := health(s.Server.Server, path)
		require.Equal(t, 503, code, "it has ended")
	}
}

// TestPrefix: an embedder may put it below a path.
func TestPrefix(t *testing.T) {
	s := newSite(t, epmdhttp.Options{})
	mux := http.NewServeMux()
	mux.Handle("/deep/epmd/", http.StripPrefix("/deep/epmd", s.handler))
	web := httptest.NewServer(mux)
	defer web.Close()
	got := ask(t, "GET", web.URL+"/deep/epmd/", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "text/html; charset=utf-8", got.head.Get("Content-Type"))
	for _, asset := range []string{`src="`, `href="/`, "http://", "https://"} {
		require.NotContains(t, strings.ReplaceAll(got.body, "http://www.w3.org/2000/svg", ""), asset, "the page needs nothing from elsewhere")
	}
	require.Equal(t, 200, ask(t, "GET", web.URL+"/deep/epmd/nodes", "").status)
	require.Equal(t, 404, ask(t, "GET", web.URL+"/deep/epmd/x", "").status)
	require.Equal(t, 307, redirect(t, web.URL+"/deep/epmd"))
}

// redirect is the status of an answer that is not followed.
func redirect(t *testing.T, url string) int {
	t.Helper()
	resp, err := new(http.Transport).RoundTrip(httptest.NewRequestWithContext(t.Context(), "GET", url, nil))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}
