package transcript

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStandardIsWhole(t *testing.T) {
	scenarios, err := Standard()
	require.NoError(t, err)
	require.Len(t, scenarios, 225)
	names := make(map[string]bool)
	for _, s := range scenarios {
		require.False(t, names[s.Name], s.Name)
		names[s.Name] = true
		require.NotEmpty(t, s.Steps, s.Name)
	}
}

func TestMatch(t *testing.T) {
	tests := map[string]struct {
		patterns, got []string // one after the other, with the same bindings
		ok            bool
	}{
		"literal":               {[]string{"0102"}, []string{"\x01\x02"}, true},
		"another literal":       {[]string{"0102"}, []string{"\x01\x03"}, false},
		"too short":             {[]string{"0102"}, []string{"\x01"}, false},
		"too long":              {[]string{"0102"}, []string{"\x01\x02\x03"}, false},
		"nothing":               {[]string{""}, []string{""}, true},
		"something for nothing": {[]string{""}, []string{"x"}, false},
		"port":                  {[]string{"{P}61"}, []string{"\x00\x00\x12\x34a"}, true},
		"another port":          {[]string{"{P}"}, []string{"\x00\x00\x12\x35"}, false},
		"short port":            {[]string{"{P}"}, []string{"\x00\x12\x34"}, false},
		"digits":                {[]string{"61{FD}62"}, []string{"a123b"}, true},
		"no digits":             {[]string{"61{FD}62"}, []string{"ab"}, false},
		"creation grows":        {[]string{"{C4:x}", "{C4:x+1}", "{C4:x}"}, []string{"\x00\x00\x00\xff", "\x00\x00\x01\x00", "\x00\x00\x00\xff"}, true},
		"creation stands":       {[]string{"{C4:x}", "{C4:x+1}"}, []string{"\x00\x00\x00\xff", "\x00\x00\x00\xff"}, false},
		"creations apart":       {[]string{"{C4:x}", "{C4:y}"}, []string{"\x00\x00\x00\xff", "\x00\x00\x00\x01"}, true},
		"unknown creation":      {[]string{"{C4:x+1}"}, []string{"\x00\x00\x00\xff"}, false},
		"short creation":        {[]string{"{C4:x}"}, []string{"\x00\x00\xff"}, false},
		"small wraps":           {[]string{"{C2:x}", "{C2:x+1}", "{C2:x+2}", "{C2:x+3}"}, []string{"\x00\x03", "\x00\x01", "\x00\x02", "\x00\x03"}, true},
		"small stands":          {[]string{"{C2:x}", "{C2:x+1}"}, []string{"\x00\x03", "\x00\x03"}, false},
		"short small":           {[]string{"{C2:x}"}, []string{"\x03"}, false},
		"bad pattern":           {[]string{"0g"}, []string{"\x00"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := NewMatcher(0x1234)
			var err error
			for i, p := range tt.patterns {
				err = errors.Join(err, m.Match(p, []byte(tt.got[i])))
			}
			require.Equal(t, tt.ok, err == nil, "%v", err)
		})
	}
}

// TestPlayFails: a daemon that does something else is found out.
func TestPlayFails(t *testing.T) {
	zero, open, closed := 0, "open", "closed"
	six, none := "36", ""
	step := func(recv *string, then string) Scenario {
		return Scenario{Steps: []Step{{Conn: "a", Send: "01|02"}, {Conn: "a", Recv: recv, Then: then}}}
	}
	good := fakeTarget{answer: "6", closed: true}
	require.NoError(t, Play(step(&six, closed), good))
	require.Error(t, Play(step(&six, open), good))
	require.Error(t, Play(step(&none, closed), good))
	require.NoError(t, Play(Scenario{Steps: []Step{{Exits: &zero}}}, good))
	require.Error(t, Play(Scenario{Steps: []Step{{Exits: &zero}}}, fakeTarget{status: 1}))
	require.Error(t, Play(step(&six, closed), fakeTarget{refuse: true}))
	require.Error(t, Play(Scenario{Steps: []Step{{Conn: "a", Send: "0"}}}, good))
}

type fakeTarget struct {
	answer string
	closed bool
	status int
	refuse bool
}

func (f fakeTarget) Port() uint16       { return 1 }
func (f fakeTarget) Exit() (int, error) { return f.status, nil }
func (f fakeTarget) Open() (Conn, error) {
	if f.refuse {
		return nil, errors.New("refused")
	}
	return f, nil
}

func (f fakeTarget) Send([][]byte) error         { return nil }
func (f fakeTarget) HalfClose() error            { return nil }
func (f fakeTarget) Close() error                { return nil }
func (f fakeTarget) Reset() error                { return nil }
func (f fakeTarget) Recv() ([]byte, bool, error) { return []byte(f.answer), f.closed, nil }
