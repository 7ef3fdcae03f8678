package conformance

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBytes(t *testing.T) {
	tests := map[string]string{
		`00016e`:                              "00016e",
		`00 01 "n"`:                           "00016e",
		`"a\x00é"*2`:                          "6100c3a96100c3a9",
		`00*3 ff*0 01`:                        "00000001",
		`{creation:x} {creation:x+2}`:         "{creation:x}{creation:x+2}",
		`{port} {port-text} {fd} {anything}`:  "{port}{port-text}{fd}{anything}",
		`NAMES_REQ`:                           "00016e",
		`DUMP_REQ(tail=x)`:                    "00026478",
		`KILL_REQ(n=7)`:                       "00076b",
		`STOP_REQ(name=foo)`:                  "000473666f6f",
		`PORT_PLEASE2_REQ(name="a b"+0xff*2)`: "00067a612062ffff",
		`FRAME(body=0x0102 n=3057)`:           "0bf10102",
		`ALIVE2_REQ(name=foo)`:                "00107803e84d00000600050003666f6f0000",
		`ALIVE2_REQ(name=a port=0x1234 type=72 protocol=1 highest=5 lowest=4 extra="e" tail=t)`: "00107812344801000500040001610001" + "6574",
		`ALIVE2_REQ(name=a nlen=5 elen=9)`:    "000e7803e84d00000600050005610009",
		`ALIVE2_X_RESP(creation=x)`:           "7600{creation:x}",
		`ALIVE2_X_RESP(result=1 creation=99)`: "760100000063",
		`ALIVE2_X_RESP(first=x)`:              "7600{first:x}",
		`ALIVE2_X_RESP(creation=x+12)`:        "7600{creation:x+12}",
		`ALIVE2_RESP(creation=y+1)`:           "7900{creation2:y+1}",
		`ALIVE2_RESP(result=1 creation=99)`:   "79010063",
		`PORT2_RESP(result=1)`:                "7701",
		`PORT2_RESP(name=foo)`:                "770003e84d00000600050003666f6f0000",
		`NAMES_RESP`:                          "{port}",
		`NAMES_RESP("b c":7 a)`:               "{port}" + hex.EncodeToString([]byte("name b c at port 7\nname a at port 1000\n")),
		`NAMES_RESP("n"*3:9)`:                 "{port}" + hex.EncodeToString([]byte("name nnn at port 9\n")),
		`NAMES_RESP(n[2..1]:9)`:               "{port}" + hex.EncodeToString([]byte("name n2 at port 9\nname n1 at port 9\n")),
		`DUMP_RESP(a old b:2)`: "{port}" + hex.EncodeToString([]byte("active name     <a> at port 1000, fd = ")) + "{fd}0a00" +
			hex.EncodeToString([]byte("old/unused name <b>, port = 2, fd = ")) + "{fd}200a00",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			b, err := wholeBytes(text)
			require.NoError(t, err)
			require.Equal(t, want, b.String())
		})
	}
}

func TestBadBytes(t *testing.T) {
	for _, text := range []string{
		`0`, `xyz`, `"open`, `{creation}`, `{creation:x+y}`, `{fd:1}`, `{what}`, `{creation:x`, `00*x`, `00*99999999`,
		`NAMES_REQUEST`, `NAMES_REQ(`, `NAMES_REQ(what=1)`, `NAMES_REQ(foo)`, `ALIVE2_REQ(name=a name=b)`,
		`ALIVE2_REQ(port=70000)`, `ALIVE2_REQ(type=x)`, `ALIVE2_REQ(name=0x1)`, `ALIVE2_REQ(name=)x`, `ALIVE2_X_RESP`, `00,01`,
	} {
		_, err := wholeBytes(text)
		require.Error(t, err, text)
	}
}

// TestFieldsAreNamed: a report can say of each byte what it is.
func TestFieldsAreNamed(t *testing.T) {
	b, err := wholeBytes(`ALIVE2_REQ(name=foo extra=x)`)
	require.NoError(t, err)
	var fields []string
	for _, p := range b {
		fields = append(fields, p.Field)
	}
	require.Equal(t, []string{"n", "tag", "port", "type", "protocol", "highest", "lowest", "nlen", "name", "elen", "extra"}, fields)
}
