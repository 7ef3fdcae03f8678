package epmdhttp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/goepmd/goepmd/epmd"
)

// checkTime bounds the wait for the server's answer.
const checkTime = 2 * time.Second

var (
	errNotServing = errors.New("the daemon does not serve, yet or any more")
	errNoListener = errors.New("the daemon does not listen")
)

// serveHealth asks the server itself, and says what it found.
func (h *Handler) serveHealth(w http.ResponseWriter, r *http.Request) { sayChecked(w, h.check(r)) }

// serveReady asks also whether it listens.
func (h *Handler) serveReady(w http.ResponseWriter, r *http.Request) {
	err := h.check(r)
	if err == nil && len(h.server.Addrs()) == 0 {
		err = errNoListener
	}
	sayChecked(w, err)
}

func (h *Handler) check(r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), checkTime)
	defer cancel()
	return h.server.Check(ctx)
}

func sayChecked(w http.ResponseWriter, err error) {
	if errors.Is(err, epmd.ErrServerClosed) {
		err = errNotServing
	}
	if err != nil {
		http.Error(w, "not well: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	say(w, "text/plain; charset=utf-8", []byte("ok\n"))
}

// say answers.
func say(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body) // who asked may be gone
}
