package conformance

import (
	"encoding/hex"
	"strings"
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
	for text, want := range tests3 {
		tests[text] = want
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			b, err := wholeBytes(text)
			require.NoError(t, err)
			require.Equal(t, want, b.String())
		})
	}
}

// tests3 are those of the multi-transport extension.
var tests3 = map[string]string{
	`NAMES3_REQ`: "00014e", `DUMP3_REQ(tail=x)`: "00024478", `KILL3_REQ(n=2)`: "00024b", `STOP3_REQ(name=foo)`: "000453666f6f",
	`ALIVE3_REQ(name=s highest=5)`:                                            "00165803e84d08696e65745f746370000500050001730000",
	`ALIVE3_REQ(name=s port=2 type=72 transport=uds lowest=4 extra=e tail=t)`: "00135800024803756473000600040001730001" + "6574",
	`ALIVE3_REQ(name=s transport="" tlen=7 nlen=8 elen=9 n=10)`:               "000a5803e84d070006000500087300" + "09",
	`ALIVE3_RESP(creation=x)`:                                                 "00047900{creation2:x}",
	`ALIVE3_RESP(result=1 creation=99)`:                                       "000479010063",
	`ALIVE3_X_RESP(creation=x+1)`:                                             "00067600{creation:x+1}",
	`PORT_PLEASE3_REQ(name=s)`:                                                "00105a0001000908696e65745f7463700173",
	`PORT_PLEASE3_REQ(name=s transports="")`:                                  "00075a000000000173",
	`PORT_PLEASE3_REQ(name=s transports=uds,t zero=1 count=9 mlen=8 nlen=7)`:  "000d5a010900080375647301740773",
	`PORT_PLEASE3_REQ(name=s transports="" list=0x0141 count=1)`:              "00095a00010002014101" + "73",
	`PORT3_RESP(result=1)`:                                                    "00027701",
	`PORT3_RESP(name=s highest=5 inet_tcp:1000)`:                              "001c7700000001000b03e808696e65745f7463704d000500050001730000",
	`PORT3_RESP(name=s type=1 highest=2 lowest=3 extra=e "":1 t:2)`:           "001977000000020007000100000201740100020003000173" + "000165",
	`NAMES3_RESP`:              "000500{port}",
	`NAMES3_RESP(a b:1#t,2#u)`: "003100{port}" + hex.EncodeToString([]byte("name a at port 1000#\nname b at port 1#t 2#u\n")),
	`DUMP3_RESP(a:1#t old b)`: "{length}00{port}" + hex.EncodeToString([]byte("active name     <a> at port 1#t, fd = ")) + "{fd}0a" +
		hex.EncodeToString([]byte("old/unused name <b> at port 1000#, fd = ")) + "{fd}0a",
}

// TestBlocks: a list of three blocks, each of which ends with a line and is as long as
// it may be.
func TestBlocks(t *testing.T) {
	name := strings.Repeat("n", 200)
	b, err := wholeBytes(`NAMES3_RESP(` + name + `[970..801]:7#t)`)
	require.NoError(t, err)
	const line = 5 + 200 + 3 + 9 + 4 // of three digits
	var lengths []int
	var more []byte
	for _, p := range b {
		switch p.Field {
		case "n":
			lengths = append(lengths, int(p.Bytes[0])<<8|int(p.Bytes[1]))
		case "more":
			more = append(more, p.Bytes[0])
		}
	}
	require.Equal(t, []byte{1, 1, 0}, more)
	require.Equal(t, 1+4+(maxBlock-7)/line*line, lengths[0])
	require.LessOrEqual(t, lengths[1], maxBlock-2)
	require.Greater(t, lengths[1], maxBlock-2-line)
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
