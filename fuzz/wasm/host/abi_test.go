package host

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

const now = 1_700_000_000_000

// TestReadmeExample is the example in the README, call by call.
func TestReadmeExample(t *testing.T) {
	r := raw{t, start(t)}
	require.EqualValues(t, 1, r.call("epmd_abi_version"))
	require.EqualValues(t, 1, r.call("epmd_daemon_new", 4369, 0, 60000, 0, now))
	require.EqualValues(t, 1, r.call("epmd_open", 1, 1))
	require.EqualValues(t, 3059, r.call("epmd_want", 1, 1))
	a := r.call("epmd_alloc", 12)
	r.write(a, "00107803e84d")
	require.EqualValues(t, 0, r.call("epmd_feed", 1, 1, int64(a), 6))
	require.EqualValues(t, 12, r.call("epmd_want", 1, 1))
	r.write(a, "00000600050003666f6f0000")
	require.EqualValues(t, 1, r.call("epmd_feed", 1, 1, int64(a), 12))
	n := r.numbers(r.call("epmd_result", 1), 9)
	require.Equal(t, []uint32{1, 12, 120, n[3], 6, 0, 0, 0, 0}, n)
	require.Equal(t, "\x76\x00\x65\x53\xf1\x01", r.read(n[3], n[4]))

	require.EqualValues(t, 2, r.call("epmd_open", 1, 0))
	r.write(a, "00016e")
	require.EqualValues(t, 2, r.call("epmd_feed", 1, 2, int64(a), 3))
	n = r.numbers(r.call("epmd_result", 1), 9)
	require.Equal(t, []uint32{2, 3, 110, n[3], 26, 0, 0, 0, 0}, n)
	require.Equal(t, "\x00\x00\x11\x11name foo at port 1000\n", r.read(n[3], n[4]))

	require.EqualValues(t, 0, r.call("epmd_end", 1, 2))
	require.EqualValues(t, 0, r.call("epmd_end", 1, 1))
	require.EqualValues(t, 0, r.call("epmd_daemon_delete", 1))
	require.EqualValues(t, 0, r.call("epmd_free", int64(a)))
}

// TestRefusedCalls: every function says what is wrong, and the daemon goes on as
// if it had not been called.
func TestRefusedCalls(t *testing.T) {
	r := raw{t, start(t)}
	d := int64(r.call("epmd_daemon_new", 4369, 0, 60000, 0, now))
	c := int64(r.call("epmd_open", d, 1))
	a := int64(r.call("epmd_alloc", 16))
	before := r.state(d)
	tests := []struct {
		want Status
		name string
		args []int64
	}{
		{StatusRange, "epmd_daemon_new", []int64{-1, 0, 0, 0, now}},
		{StatusRange, "epmd_daemon_new", []int64{65536, 0, 0, 0, now}},
		{StatusRange, "epmd_daemon_new", []int64{1, 8, 0, 0, now}},
		{StatusRange, "epmd_daemon_new", []int64{1, -1, 0, 0, now}},
		{StatusRange, "epmd_daemon_new", []int64{1, 0, -1, 0, now}},
		{StatusRange, "epmd_daemon_new", []int64{1, 0, 0, 0, -1}},
		{StatusRange, "epmd_daemon_new", []int64{1, 0, 0, 0, math.MaxInt64}},
		{StatusDaemon, "epmd_daemon_delete", []int64{d + 1}},
		{StatusDaemon, "epmd_open", []int64{d + 1, 1}},
		{StatusDaemon, "epmd_want", []int64{0, c}},
		{StatusDaemon, "epmd_feed", []int64{-1, c, a, 1}},
		{StatusDaemon, "epmd_end", []int64{math.MinInt32, c}},
		{StatusDaemon, "epmd_advance", []int64{d + 1, 0}},
		{StatusDaemon, "epmd_state", []int64{d + 1}},
		{0, "epmd_result", []int64{d + 1}},
		{StatusRange, "epmd_open", []int64{d, 2}},
		{StatusRange, "epmd_open", []int64{d, -1}},
		{StatusConn, "epmd_want", []int64{d, c + 1}},
		{StatusConn, "epmd_want", []int64{d, 0}},
		{StatusConn, "epmd_want", []int64{d, -1}},
		{StatusConn, "epmd_feed", []int64{d, c + 1, a, 1}},
		{StatusConn, "epmd_end", []int64{d, c + 1}},
		{StatusPointer, "epmd_feed", []int64{d, c, 0, 1}},
		{StatusPointer, "epmd_feed", []int64{d, c, a + 1, 1}},
		{StatusPointer, "epmd_feed", []int64{d, c, a, 17}},
		{StatusPointer, "epmd_feed", []int64{d, c, -1, 1}},
		{StatusRange, "epmd_feed", []int64{d, c, a, -1}},
		{StatusRange, "epmd_advance", []int64{d, -1}},
		{StatusRange, "epmd_advance", []int64{d, math.MaxInt64}},
		{StatusPointer, "epmd_free", []int64{0}},
		{StatusPointer, "epmd_free", []int64{a + 1}},
		{0, "epmd_alloc", []int64{0}},
		{0, "epmd_alloc", []int64{-1}},
		{0, "epmd_alloc", []int64{65537}},
	}
	for _, tt := range tests {
		require.EqualValues(t, tt.want, r.call(tt.name, tt.args...), "%s%v", tt.name, tt.args)
	}
	require.Equal(t, before, r.state(d))

	require.EqualValues(t, 0, r.call("epmd_free", a))
	require.EqualValues(t, StatusPointer, r.call("epmd_free", a))
	require.EqualValues(t, StatusPointer, r.call("epmd_feed", d, c, a, 1))
	require.EqualValues(t, 0, r.call("epmd_daemon_delete", d))
	require.EqualValues(t, StatusDaemon, r.call("epmd_daemon_delete", d))
}

func (r raw) state(d int64) string {
	r.t.Helper()
	size := r.call("epmd_state", d)
	n := r.numbers(r.call("epmd_result", d), 9)
	require.EqualValues(r.t, size, n[4])
	return r.read(n[3], n[4])
}

// TestStateFields: the state has the fields that the README names, no other, and
// lists are lists even if they are empty.
func TestStateFields(t *testing.T) {
	r := raw{t, start(t)}
	d := int64(r.call("epmd_daemon_new", 4369, 0, 60000, 0, now))
	require.JSONEq(t, `{"now":1700000000000,"port":4369,"stopped":false,"nodes":[],"old":[],"conns":[]}`, r.state(d))
	c := int64(r.call("epmd_open", d, 1))
	a := r.call("epmd_alloc", 18)
	r.write(a, "00107803e84d00000600050003666f6f0000")
	require.EqualValues(t, 1, r.call("epmd_feed", d, c, int64(a), 18))
	require.EqualValues(t, 2, r.call("epmd_open", d, 0))
	require.EqualValues(t, 0, r.call("epmd_advance", d, 500))
	require.JSONEq(t, `{"now":1700000000500,"port":4369,"stopped":false,
		"nodes":[{"name":"foo","nameHex":"666f6f","port":1000,"type":77,"protocol":0,
			"highest":6,"lowest":5,"extraHex":"","creation":1700000001,
			"counter":1700000001,"owner":1,"since":1700000000000}],
		"old":[],
		"conns":[{"id":1,"local":true,"state":"kept","want":3060,"buffered":0,"deadline":0},
			{"id":2,"local":false,"state":"reading","want":3059,"buffered":0,"deadline":1700000060000}]}`, r.state(d))
	require.EqualValues(t, 0, r.call("epmd_end", d, c))
	var s map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.state(d)), &s))
	require.Empty(t, s["nodes"])
	require.Len(t, s["old"], 1)
	require.Len(t, s["conns"], 1)
}

// TestStateFieldsOfTransports: with the extension there are two fields more, where
// they say something.
func TestStateFieldsOfTransports(t *testing.T) {
	r := raw{t, start(t)}
	d := int64(r.call("epmd_daemon_new", 4369, 4, 60000, 0, now))
	c := int64(r.call("epmd_open", d, 1))
	a := r.call("epmd_alloc", 24)
	r.write(a, "00165803e84d08696e65745f746370000600050001730000")
	require.EqualValues(t, 1, r.call("epmd_feed", d, c, int64(a), 24))
	require.EqualValues(t, 3, r.call("epmd_want", d, c))
	require.EqualValues(t, 2, r.call("epmd_open", d, 1))
	r.write(a, "00107803e84d00000600050003666f6f0000")
	require.EqualValues(t, 1, r.call("epmd_feed", d, 2, int64(a), 18))
	require.JSONEq(t, `{"now":1700000000000,"port":4369,"stopped":false,
		"nodes":[{"name":"foo","nameHex":"666f6f","port":1000,"type":77,"protocol":0,
			"highest":6,"lowest":5,"extraHex":"","creation":1700000001,
			"counter":1700000001,"owner":2,"since":1700000000000},
			{"name":"s","nameHex":"73","port":1000,"type":77,"protocol":0,
			"highest":6,"lowest":5,"extraHex":"","creation":1700000001,
			"counter":1700000001,"owner":1,"since":1700000000000,
			"transports":[{"name":"inet_tcp","nameHex":"696e65745f746370","port":1000,"owner":1,"since":1700000000000}]}],
		"old":[],
		"conns":[{"id":1,"local":true,"state":"kept","want":3,"buffered":0,"deadline":0,"takesMore":true},
			{"id":2,"local":true,"state":"kept","want":3060,"buffered":0,"deadline":0}]}`, r.state(d))
}

// TestMemoryIsBounded: a host that frees nothing is told so, and can go on once it
// does.
func TestMemoryIsBounded(t *testing.T) {
	r := raw{t, start(t)}
	var given []int64
	for range 256 {
		a := r.call("epmd_alloc", 1<<16)
		require.NotZero(t, a)
		given = append(given, int64(uint32(a)))
	}
	require.Zero(t, r.call("epmd_alloc", 1))
	for _, a := range given {
		require.Zero(t, r.call("epmd_free", a))
	}
	require.NotZero(t, r.call("epmd_alloc", 1))
}

// TestDaemonsAreBounded, and what was deleted makes room.
func TestDaemonsAreBounded(t *testing.T) {
	r := raw{t, start(t)}
	for i := range 1024 {
		require.EqualValues(t, i+1, r.call("epmd_daemon_new", 4369, 0, 0, 0, now))
	}
	require.EqualValues(t, StatusFull, r.call("epmd_daemon_new", 4369, 0, 0, 0, now))
	require.Zero(t, r.call("epmd_daemon_delete", 7))
	require.EqualValues(t, 1025, r.call("epmd_daemon_new", 4369, 0, 0, 0, now))
}

// TestKindsOfErrors: each status has a text.
func TestKindsOfErrors(t *testing.T) {
	for s := StatusFull; s < 0; s++ {
		require.NotContains(t, s.Error(), "unknown")
	}
	require.Contains(t, Status(-99).Error(), "unknown")
}
