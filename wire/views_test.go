package wire_test

import (
	"math/rand"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// requireClipped wants every slice of bytes in a value to end where its memory ends for
// whoever appends to it.
func requireClipped(t *testing.T, v reflect.Value, what string) {
	t.Helper()
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			requireClipped(t, v.Elem(), what)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			requireClipped(t, v.Field(i), what+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			require.Equal(t, v.Len(), v.Cap(), what)
			return
		}
		for i := range v.Len() {
			requireClipped(t, v.Index(i), what)
		}
	}
}

// TestViewsAreClipped: who appends to what was parsed writes into no other field.
func TestViewsAreClipped(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, c := range codecs() {
		for range 50 {
			b, err := c.append(nil, c.random(r))
			require.NoError(t, err)
			v, _, err := c.parse(b)
			require.NoError(t, err)
			requireClipped(t, reflect.ValueOf(&v).Elem(), c.name)
		}
	}
	node := wire.Node{Name: "s", Extra: "x"}
	resp, _, err := wire.ParsePort3Resp(append(node.AppendPort3Resp(nil, someTransports), "behind"...))
	require.NoError(t, err)
	requireClipped(t, reflect.ValueOf(resp), "PORT3_RESP")

	l := wire.AppendBlocks(nil, 1)
	l.Name("a", someTransports)
	l.Name("b", someTransports)
	names, _, err := wire.ParseBlock(append(l.End(), "behind"...), true)
	require.NoError(t, err)
	requireClipped(t, reflect.ValueOf(names), "block")
	for line, err := range wire.Name3Lines(names.Lines) {
		require.NoError(t, err)
		requireClipped(t, reflect.ValueOf(line), "line of names")
	}
	l = wire.AppendBlocks(nil, 1)
	l.Active("a", someTransports, 1)
	l.Old("b", someTransports, 2)
	dump, _, err := wire.ParseBlock(l.End(), true)
	require.NoError(t, err)
	for line, err := range wire.Dump3Lines(dump.Lines) {
		require.NoError(t, err)
		requireClipped(t, reflect.ValueOf(line), "line of a dump")
		for _, name := range line.Transports.All() {
			requireClipped(t, reflect.ValueOf(name), "transport")
		}
	}
	for _, name := range resp.Transports.All() {
		requireClipped(t, reflect.ValueOf(name), "transport")
	}
	stop, err := wire.ParseStop3Req([]byte("Sname\x00tail"))
	require.NoError(t, err)
	requireClipped(t, reflect.ValueOf(stop), "STOP3_REQ")
}
