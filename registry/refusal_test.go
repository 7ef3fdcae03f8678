package registry_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

var limits = []struct {
	label       string
	name, extra string
	want        registry.Refusal // none: registered
}{
	{"empty name", "", "", 0},
	{"NUL", "a\x00b", "\x00", 0}, // wire has closed it; a program may want it
	{"255 characters of 1 byte", strings.Repeat("a", 255), "", 0},
	{"256 characters of 1 byte", strings.Repeat("a", 256), "", registry.RefusedNameChars},
	{"255 characters of 2 bytes", strings.Repeat("é", 255), "", 0},
	{"256 characters of 2 bytes", strings.Repeat("é", 256), "", registry.RefusedNameChars},
	{"255 characters of 3 bytes", strings.Repeat("€", 255), "", 0},
	{"256 characters of 3 bytes", strings.Repeat("€", 256), "", registry.RefusedNameChars},
	{"255 characters of 4 bytes", strings.Repeat("\U0001f600", 255), "", 0},
	{"256 characters of 4 bytes", strings.Repeat("\U0001f600", 256), "", registry.RefusedNameBytes},
	{"1020 bytes of 1-byte characters", strings.Repeat("a", 1020), "", registry.RefusedNameChars},
	{"1021 bytes of 1-byte characters", strings.Repeat("a", 1021), "", registry.RefusedNameBytes},
	{"1020 bytes of 4-byte characters", strings.Repeat("\U0010ffff", 255), "", 0},
	{"one byte more", strings.Repeat("\U0010ffff", 255) + "a", "", registry.RefusedNameBytes},
	{"as long as a packet can tell", strings.Repeat("a", wire.MaxBodyLen), "", registry.RefusedNameBytes},
	{"extra of 1020 bytes", "a", strings.Repeat("e", 1020), 0},
	{"extra of 1021 bytes", "a", strings.Repeat("e", 1021), registry.RefusedExtraBytes},
	{"extra of any bytes", "a", strings.Repeat("\xff", 1020), 0},
	{"extra of 1020 bytes, empty name", "", strings.Repeat("e", 1020), 0},

	{"2 bytes, first", "\xc2\x80", "", 0},
	{"2 bytes, last", "\xdf\xbf", "", 0},
	{"3 bytes, first", "\xe0\xa0\x80", "", 0},
	{"before the surrogates", "\xed\x9f\xbf", "", 0},
	{"behind the surrogates", "\xee\x80\x80", "", 0},
	{"3 bytes, last", "\xef\xbf\xbf", "", 0},
	{"4 bytes, first", "\xf0\x90\x80\x80", "", 0},
	{"4 bytes, last", "\xf4\x8f\xbf\xbf", "", 0},
	{"overlong in 2 bytes", "\xc0\x80", "", registry.RefusedNameUTF8},
	{"overlong in 2 bytes, last", "\xc1\xbf", "", registry.RefusedNameUTF8},
	{"overlong in 3 bytes", "\xe0\x9f\xbf", "", registry.RefusedNameUTF8},
	{"overlong in 4 bytes", "\xf0\x8f\xbf\xbf", "", registry.RefusedNameUTF8},
	{"surrogate, first", "\xed\xa0\x80", "", registry.RefusedNameUTF8},
	{"surrogate, last", "\xed\xbf\xbf", "", registry.RefusedNameUTF8},
	{"above U+10FFFF", "\xf4\x90\x80\x80", "", registry.RefusedNameUTF8},
	{"byte F5", "\xf5\x80\x80\x80", "", registry.RefusedNameUTF8},
	{"byte FF", "a\xffb", "", registry.RefusedNameUTF8},
	{"continuation only", "\x80", "", registry.RefusedNameUTF8},
	{"truncated", "a\xf0\x9f\x98", "", registry.RefusedNameUTF8},

	{"too many bytes before UTF-8", strings.Repeat("\xff", 1021), "", registry.RefusedNameBytes},
	{"UTF-8 before too many characters", strings.Repeat("\xff", 1020), "", registry.RefusedNameUTF8},
	{"UTF-8 before extra", "\xff", strings.Repeat("e", 1021), registry.RefusedNameUTF8},
	{"characters before extra", strings.Repeat("a", 256), strings.Repeat("e", 1021), registry.RefusedNameChars},
	{"bytes before extra", strings.Repeat("a", 1021), strings.Repeat("e", 1021), registry.RefusedNameBytes},
}

func TestRefusals(t *testing.T) {
	for _, c := range limits {
		t.Run(c.label, func(t *testing.T) {
			r, _ := newRegistry(0)
			n := wire.Node{Name: c.name, Port: 1000, Extra: c.extra}
			if c.want != 0 {
				require.Equal(t, error(c.want), registry.Check(c.name, c.extra))
				requireRefused(t, r, 1, n, c.want)
				require.Zero(t, r.Len())
				return
			}
			require.NoError(t, registry.Check(c.name, c.extra))
			register(t, r, 1, n)
			got, found := r.Lookup([]byte(c.name))
			require.True(t, found)
			require.Equal(t, n, got)
			requireRefused(t, r, 1, n, registry.RefusedTaken)
			requireRefused(t, r, 2, n, registry.RefusedTaken)
		})
	}
}

func TestRefusedTaken(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	requireRefused(t, r, 2, otpNode("a", 2), registry.RefusedTaken)
	requireRefused(t, r, 2, wire.Node{Name: "a", Extra: strings.Repeat("e", 1021)}, registry.RefusedExtraBytes)
	holder, held := r.Holder([]byte("a"))
	require.True(t, held)
	require.Equal(t, registry.Owner(1), holder)

	// Who was refused holds nothing that could end.
	r.Release(2, registry.ReasonClosed)
	require.Equal(t, []string{"a"}, nodeNames(r))

	r.Release(1, registry.ReasonClosed)
	register(t, r, 2, otpNode("a", 2))
}

func TestRefusalTexts(t *testing.T) {
	refusals := []struct {
		refusal     registry.Refusal
		label, text string
	}{
		{registry.RefusedTaken, "taken", "the name is already registered"},
		{registry.RefusedNameBytes, "name_bytes", "the name is longer than 1020 bytes"},
		{registry.RefusedNameChars, "name_chars", "the name is longer than 255 characters"},
		{registry.RefusedNameUTF8, "name_utf8", "the name is not valid UTF-8"},
		{registry.RefusedExtraBytes, "extra_bytes", "the extra field is longer than 1020 bytes"},
		{registry.RefusedTransports, "transports", "the name has 32 transports already"},
		{registry.RefusedTransportName, "transport_name", "the name of the transport is longer than 127 bytes, or holds a NUL byte"},
		{registry.RefusedHeld, "held", "the connection holds as many transports as it may"},
		{registry.RefusedNotAdmitted, "not_admitted", "the program does not admit the node"},
	}
	require.Len(t, refusals, registry.NumRefusals-1, "every refusal is in the table")
	labels, texts := map[string]bool{}, map[string]bool{}
	for _, c := range refusals {
		assert.Equal(t, c.label, c.refusal.String())
		assert.EqualError(t, c.refusal, c.text)
		assert.Positive(t, c.refusal)
		assert.Less(t, int(c.refusal), registry.NumRefusals)
		labels[c.label], texts[c.text] = true, true
	}
	assert.Len(t, labels, len(refusals), "labels of their own")
	assert.Len(t, texts, len(refusals), "texts of their own")
	for r := registry.NumRefusals; r <= 256; r++ { // ends with 0
		assert.Equal(t, "unknown", registry.Refusal(r).String())
		assert.EqualError(t, registry.Refusal(r), "refused for an unknown reason")
	}
}
