package epmdhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdhttp"
)

// A program that embeds a server puts the page below a path of its own.
func ExampleNew() {
	server := &epmd.Server{MeasureLatency: true}
	mux := http.NewServeMux()
	mux.Handle("/epmd/", http.StripPrefix("/epmd", epmdhttp.New(server, epmdhttp.Options{})))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/epmd/healthz", nil))
	fmt.Print(w.Code, " ", w.Body)
	// Output: 503 not well: the daemon does not serve, yet or any more
}
