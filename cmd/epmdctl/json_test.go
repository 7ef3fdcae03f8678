package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdtest"
)

// The forms of JSON, as programs may rely on them: docs/epmdctl.md has each field.
type (
	jsonNode struct {
		Name                            string
		Port                            uint16
		Type, Protocol, Highest, Lowest *uint16
		Extra                           *string
		Transports                      []struct {
			Name string
			Port uint16
		}
	}
	jsonChange struct {
		jsonNode
		At            time.Time
		Change, Error string
	}
	jsonPing struct {
		At                     time.Time
		Event, Error, State    string
		Nodes, Asked, Answered *int
		Milliseconds           *float64
		Min                    *float64 `json:"min_milliseconds"`
		Max                    *float64 `json:"max_milliseconds"`
		Mean                   *float64 `json:"mean_milliseconds"`
	}
	jsonHeld struct {
		At                 time.Time
		Event, Name, Error string
		Port               *uint16
		Creation           *uint32
	}
	jsonMessage struct {
		Message, Label, Fault, OTP string
		Fields                     []struct {
			At                       int
			Bytes, Name, Value, Note string
		}
	}
)

// decoded is what a program wrote, in the only form that it may have.
func decoded[T any](t *testing.T, out string) (all []T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	for {
		var v T
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err, out)
		all = append(all, v)
	}
}

// TestJSON: each command that prints does so for machines too.
func TestJSON(t *testing.T) {
	s := epmdtest.NewServer(t, func(s *epmd.Server) { s.RelaxedCommandCheck = true })
	s.Node("alpha", goNode(t, "alpha@127.0.0.1"))
	port := strconv.Itoa(s.Port())
	ask := func(code int, args ...string) string {
		t.Helper()
		got, out, errs := call(t, false, append([]string{"-p", port}, args...)...)
		require.Equal(t, code, got, "%s%s", out, errs)
		require.Empty(t, errs)
		return out
	}
	nodes := decoded[[]jsonNode](t, ask(good, "nodes", "-o", "json"))[0]
	require.Equal(t, "alpha", nodes[0].Name)
	require.Nil(t, nodes[0].Type)
	nodes = decoded[[]jsonNode](t, ask(good, "nodes", "-l", "-o", "json"))[0]
	require.Equal(t, uint16(77), *nodes[0].Type)
	node := decoded[jsonNode](t, ask(good, "lookup", "-o", "json", "alpha"))[0]
	require.Equal(t, nodes[0], node)

	pings := decoded[jsonPing](t, ask(good, "ping", "-c", "2", "-i", "1ms", "-o", "json"))
	require.Len(t, pings, 3)
	require.Equal(t, "answer", pings[1].Event)
	require.Positive(t, *pings[1].Milliseconds)
	require.Equal(t, "summary OK", pings[2].Event+" "+pings[2].State)
	require.Equal(t, []int{2, 2, 1}, []int{*pings[2].Asked, *pings[2].Answered, *pings[2].Nodes})
	require.LessOrEqual(t, *pings[2].Min, *pings[2].Mean)
	require.Len(t, decoded[jsonPing](t, ask(good, "ping", "-q", "-o", "json")), 1)

	held := decoded[jsonHeld](t, ask(good, "register", "-for", "1ms", "-node-port", "7", "-o", "json", "brief"))
	require.Equal(t, "registered brief 7", held[0].Event+" "+held[0].Name+" "+strconv.Itoa(int(*held[0].Port)))
	require.Positive(t, *held[0].Creation)
	s.WaitNames("alpha")

	message := decoded[jsonMessage](t, ask(answeredNo, "decode", "-o", "json", "0001ff"))[0]
	require.Equal(t, "tag", message.Label)
	report := decoded[doctor.Report](t, ask(good, "doctor", "-o", "json", "alpha@127.0.0.1"))[0]
	require.True(t, report.Healthy())

	stopped := decoded[jsonHeld](t, ask(good, "stop", "-o", "json", "alpha"))
	require.Equal(t, "unregistered alpha", stopped[0].Event+" "+stopped[0].Name)
	s.WaitNames()
	require.Equal(t, "[]\n", ask(good, "nodes", "-o", "json"))

	// Errors are text, on standard error.
	code, out, errs := call(t, false, "-p", port, "lookup", "-o", "json", "nobody")
	require.Equal(t, answeredNo, code)
	require.Empty(t, out)
	require.Contains(t, errs, "no such node")
	require.NoError(t, s.Close())
	code, out, errs = call(t, false, "-p", port, "ping", "-o", "json")
	require.Equal(t, pingCritical, code)
	require.Empty(t, errs)
	pings = decoded[jsonPing](t, out)
	require.Equal(t, []string{"lost", "summary"}, []string{pings[0].Event, pings[1].Event})
	require.Contains(t, pings[0].Error, "connection refused")
	require.Equal(t, pings[0].Error, pings[1].Error)
}

// TestRegisterAgainJSON: a name that is lost and comes back is a line each.
func TestRegisterAgainJSON(t *testing.T) {
	s := epmdtest.NewServer(t, func(s *epmd.Server) { s.RelaxedCommandCheck = true })
	port := strconv.Itoa(s.Port())
	lines, end := start(t, false, "-p", port, "register", "-again", "-o", "json", "x")
	next := func() jsonHeld {
		t.Helper()
		require.True(t, lines.Scan())
		return decoded[jsonHeld](t, lines.Text())[0]
	}
	require.Equal(t, "registered", next().Event)
	code, _, _ := call(t, false, "-p", port, "stop", "x")
	require.Equal(t, good, code)
	lost := next()
	require.Equal(t, "lost", lost.Event)
	require.Contains(t, lost.Error, "the registration was lost")
	require.Equal(t, "registered", next().Event)
	require.Equal(t, good, end())
}

// TestJSONDocs: docs/epmdctl.md names each field.
func TestJSONDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/epmdctl.md")
	require.NoError(t, err)
	_, text, found := strings.Cut(string(b), "## JSON\n")
	require.True(t, found)
	var known map[string]any
	for _, v := range []any{
		change{row: &row{details: &details{Transports: []transport{{}}}}, Error: "x"},
		pinged{Milliseconds: new(1.0), Nodes: new(1), Error: "x", summary: &summary{Least: new(1.0), Most: new(1.0), Mean: new(1.0)}},
		held{Port: new(uint16(1)), Creation: new(uint32(1)), Error: "x"},
	} {
		out, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(out, &known))
	}
	for field := range known {
		require.Contains(t, text, "`"+field+"`")
	}
}
