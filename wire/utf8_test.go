package wire_test

import (
	"testing"

	"github.com/goepmd/goepmd/wire"
)

func TestPortPlease2ReqUTF8(t *testing.T) {
	for _, c := range []struct {
		name, character string
		fault           wire.Fault
	}{
		{"1 byte, first", "\x01", 0},
		{"1 byte, last", "\x7f", 0},
		{"2 bytes, first", "\xc2\x80", 0},
		{"2 bytes, last", "\xdf\xbf", 0},
		{"3 bytes, first", "\xe0\xa0\x80", 0},
		{"3 bytes, last", "\xef\xbf\xbf", 0},
		{"before the surrogates", "\xed\x9f\xbf", 0},
		{"behind the surrogates", "\xee\x80\x80", 0},
		{"4 bytes, first", "\xf0\x90\x80\x80", 0},
		{"4 bytes, last", "\xf4\x8f\xbf\xbf", 0},
		{"replacement character", "\xef\xbf\xbd", 0},

		{"NUL in 2 bytes", "\xc0\x80", wire.FaultUTF8},
		{"U+007F in 2 bytes", "\xc1\xbf", wire.FaultUTF8},
		{"NUL in 3 bytes", "\xe0\x80\x80", wire.FaultUTF8},
		{"U+07FF in 3 bytes", "\xe0\x9f\xbf", wire.FaultUTF8},
		{"NUL in 4 bytes", "\xf0\x80\x80\x80", wire.FaultUTF8},
		{"U+FFFF in 4 bytes", "\xf0\x8f\xbf\xbf", wire.FaultUTF8},
		{"surrogate, first", "\xed\xa0\x80", wire.FaultUTF8},
		{"surrogate, last of the high", "\xed\xaf\xbf", wire.FaultUTF8},
		{"surrogate, first of the low", "\xed\xb0\x80", wire.FaultUTF8},
		{"surrogate, last", "\xed\xbf\xbf", wire.FaultUTF8},
		{"surrogates as a pair", "\xed\xa0\xbd\xed\xb8\x80", wire.FaultUTF8},
		{"U+110000", "\xf4\x90\x80\x80", wire.FaultUTF8},
		{"U+140000", "\xf5\x80\x80\x80", wire.FaultUTF8},
		{"5 bytes", "\xf8\x88\x80\x80\x80", wire.FaultUTF8},
		{"6 bytes", "\xfc\x84\x80\x80\x80\x80", wire.FaultUTF8},
		{"byte FE", "\xfe", wire.FaultUTF8},
		{"byte FF", "\xff", wire.FaultUTF8},
		{"continuation, first", "\x80", wire.FaultUTF8},
		{"continuation, last", "\xbf", wire.FaultUTF8},
		{"continuation too many", "\xc3\xa9\x80", wire.FaultUTF8},
		{"2 bytes cut", "\xc3", wire.FaultUTF8},
		{"3 bytes cut to 1", "\xe2", wire.FaultUTF8},
		{"3 bytes cut to 2", "\xe2\x82", wire.FaultUTF8},
		{"4 bytes cut to 1", "\xf0", wire.FaultUTF8},
		{"4 bytes cut to 2", "\xf0\x9f", wire.FaultUTF8},
		{"4 bytes cut to 3", "\xf0\x9f\x98", wire.FaultUTF8},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{
				c.character, "a" + c.character, c.character + "a", "é" + c.character + "é", c.character + "\x00",
			} {
				testLookupName(t, name, c.fault)
			}
		})
	}
}
