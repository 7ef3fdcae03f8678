package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestParseProgram(t *testing.T) {
	for in, want := range map[string]Program{
		"/usr/bin/epmd":     {Name: "epmd", Path: "/usr/bin/epmd"},
		"OTP 25=./bin/epmd": {Name: "OTP 25", Path: "./bin/epmd"},
	} {
		got, err := ParseProgram(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", "=x", "x="} {
		_, err := ParseProgram(in)
		require.ErrorContains(t, err, "no program", in)
	}
}

func TestCheck(t *testing.T) {
	good := Plan{Modes: Modes, Nodes: []int{1, MaxNodes}, Pairs: 1, Time: 1, Clients: MaxClients}
	require.NoError(t, good.Check())
	for want, wrong := range map[string]func(*Plan){
		"name a mode":              func(p *Plan) { p.Modes = nil },
		`there is no mode "fast"`:  func(p *Plan) { p.Modes = []Mode{"fast"} },
		"name a number":            func(p *Plan) { p.Nodes = nil },
		"0 nodes: give 1 to":       func(p *Plan) { p.Nodes = []int{10, 0} },
		"1000001 nodes: give 1":    func(p *Plan) { p.Nodes = []int{MaxNodes + 1} },
		"0 pairs are too few":      func(p *Plan) { p.Pairs = 0 },
		"-1s is no time":           func(p *Plan) { p.Time = -time.Second },
		"0 clients: give 1":        func(p *Plan) { p.Clients = 0 },
		"61 clients: give 1 to 60": func(p *Plan) { p.Clients = MaxClients + 1 },
	} {
		p := good
		wrong(&p)
		require.ErrorContains(t, p.Check(), want)
	}
}

func TestCheckList(t *testing.T) {
	set := newNodes(3)
	held := []*node{&set.all[0], &set.all[2]}
	list := func(names ...string) []byte {
		b := wire.AppendListPort(nil, 4369)
		for _, n := range names {
			b = wire.AppendNameLine(b, n, 1)
		}
		return b
	}
	for name, tt := range map[string]struct {
		answer  []byte
		missing int
		err     string
	}{
		"all, in any order": {list("node00002", "node00000"), 0, ""},
		"one is missing":    {list("node00002"), 1, ""},
		"one not held":      {list("node00002", "node00001"), 1, "is listed"},
		"twice":             {list("node00002", "node00002"), 1, "is listed"},
		"no list":           {[]byte{0}, 2, "names"},
		"cut":               {list("node00002", "node00000")[:30], 2, ""},
	} {
		missing, err := checkList(tt.answer, held)
		if tt.err == "" && name != "cut" {
			require.NoError(t, err, name)
		} else {
			require.Error(t, err, name)
			require.Contains(t, strings.ToLower(err.Error()), tt.err, name)
		}
		require.Equal(t, tt.missing, missing, name)
	}
}
