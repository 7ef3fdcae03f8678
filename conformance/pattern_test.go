package conformance

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	now := string(binary.BigEndian.AppendUint32(nil, uint32(time.Now().Unix())+1))
	old := string(binary.BigEndian.AppendUint32(nil, uint32(time.Now().Unix())-100))
	tests := map[string]struct {
		patterns, got []string // one after the other, with the same bindings
		at            int      // where the last differs; -1 if it does not
		early         bool
	}{
		"literal":               {[]string{"0102"}, []string{"\x01\x02"}, -1, false},
		"another literal":       {[]string{"0102"}, []string{"\x01\x03"}, 1, false},
		"too short":             {[]string{"0102"}, []string{"\x01"}, 1, true},
		"too long":              {[]string{"0102"}, []string{"\x01\x02\x03"}, 2, false},
		"nothing":               {[]string{"nothing"}, []string{""}, -1, false},
		"something for nothing": {[]string{"nothing"}, []string{"x"}, 0, false},
		"port":                  {[]string{"{port}61"}, []string{"\x00\x00\x12\x34a"}, -1, false},
		"another port":          {[]string{"{port}"}, []string{"\x00\x00\x12\x35"}, 3, false},
		"short port":            {[]string{"{port}"}, []string{"\x00\x00\x12"}, 3, true},
		"port as text":          {[]string{`"p"{port-text}"."`}, []string{"p4660."}, -1, false},
		"digits":                {[]string{`"a"{fd}"b"`}, []string{"a123b"}, -1, false},
		"no digits":             {[]string{`"a"{fd}"b"`}, []string{"ab"}, 1, false},
		"digits to come":        {[]string{`"a"{fd}"b"`}, []string{"a"}, 1, true},
		"anything":              {[]string{`"a"{anything}`}, []string{"abc"}, -1, false},
		"creation grows":        {[]string{"{creation:x}", "{creation:x+1}", "{creation:x}"}, []string{"\x00\x00\x00\xff", "\x00\x00\x01\x00", "\x00\x00\x00\xff"}, -1, false},
		"creation stands":       {[]string{"{creation:x}", "{creation:x+1}"}, []string{"\x00\x00\x00\xff", "\x00\x00\x00\xff"}, 0, false},
		"creations apart":       {[]string{"{creation:x}", "{creation:y}"}, []string{"\x00\x00\x00\xff", "\x00\x00\x00\x01"}, -1, false},
		"unknown creation":      {[]string{"{creation:x+1}"}, []string{"\x00\x00\x00\xff"}, 0, false},
		"short creation":        {[]string{"{creation:x}"}, []string{"\x00\x00\xff"}, 3, true},
		"twice in one":          {[]string{"{creation:x}{creation:x+1}"}, []string{"\x00\x00\x00\x09\x00\x00\x00\x09"}, 4, false},
		"first":                 {[]string{"{first:x}", "{creation:x}"}, []string{now, now}, -1, false},
		"first of long ago":     {[]string{"{first:x}"}, []string{old}, 0, false},
		"small wraps":           {[]string{"{creation2:x}", "{creation2:x+1}", "{creation2:x+2}", "{creation2:x+3}"}, []string{"\x00\x03", "\x00\x01", "\x00\x02", "\x00\x03"}, -1, false},
		"small stands":          {[]string{"{creation2:x}", "{creation2:x+1}"}, []string{"\x00\x03", "\x00\x03"}, 0, false},
		"small is 1 to 3":       {[]string{"{creation2:x}"}, []string{"\x00\x04"}, 0, false},
		"small of a counter":    {[]string{"{creation:x}", "{creation2:x+1}"}, []string{"\x00\x00\x00\xff", "\x00\x02"}, -1, false},
		"small of another":      {[]string{"{creation:x}", "{creation2:x+1}"}, []string{"\x00\x00\x00\xff", "\x00\x03"}, 0, false},
		"short small":           {[]string{"{creation2:x}"}, []string{"\x03"}, 1, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := newBindings(0x1234)
			var m *mismatch
			for i, text := range tt.patterns {
				b, err := wholeBytes(spaced(text))
				require.NoError(t, err)
				m = v.match(b, []byte(tt.got[i]))
			}
			if tt.at < 0 {
				require.Nil(t, m)
				return
			}
			require.NotNil(t, m)
			require.Equal(t, tt.at, m.at)
			require.Equal(t, tt.early, m.early)
			require.NotEmpty(t, m.what)
		})
	}
}

// spaced puts blanks around holes, which the tables leave out.
func spaced(s string) string {
	out := ""
	for _, c := range s {
		switch c {
		case '{':
			out += " {"
		case '}':
			out += "} "
		default:
			out += string(c)
		}
	}
	return out
}

// TestMatchBindsOnlyWhatFits: a look that fails leaves no trace.
func TestMatchBindsOnlyWhatFits(t *testing.T) {
	v := newBindings(1)
	b, err := wholeBytes("{creation:x} 01")
	require.NoError(t, err)
	require.NotNil(t, v.match(b, []byte("\x00\x00\x00\x09\x02")))
	require.Nil(t, v.match(b, []byte("\x00\x00\x00\x08\x01")))
}

func TestLengthHole(t *testing.T) {
	want := Bytes{{Hole: Hole{Kind: Length}}, {Hole: Hole{Kind: Digits}}}
	v := newBindings(0)
	require.Nil(t, v.match(want, []byte("\x00\x03123")))
	for got, early := range map[string]bool{"\x00": true, "\x00\x03": true, "\x00\x0312": true, "\x00\x0112": false} {
		m := v.match(want, []byte(got))
		require.NotNil(t, m, "%q", got)
		require.Equal(t, early, m.early, "%q", got)
	}
}
