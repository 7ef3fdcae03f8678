package host

import (
	"context"
	"encoding/hex"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// build builds the module once for all tests.
var build = sync.OnceValues(func() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return Build(ctx)
})

// compiled compiles the module once for all tests: code stays in the cache for as
// long as an instance has it, and the one here is never closed.
var compiled = sync.OnceValues(func() (wazero.CompilationCache, error) {
	code, err := build()
	if err != nil {
		return nil, err
	}
	cache := wazero.NewCompilationCache()
	_, err = load(context.Background(), code, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	return cache, err
})

// start starts an instance for a test.
func start(t testing.TB) *Module {
	t.Helper()
	cache, err := compiled()
	require.NoError(t, err)
	code, err := build()
	require.NoError(t, err)
	m, err := load(t.Context(), code, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close(context.Background())) })
	return m
}

// raw calls the module's functions as they are.
type raw struct {
	t *testing.T
	m *Module
}

func (r raw) call(name string, args ...int64) int32 {
	r.t.Helper()
	plain := make([]uint64, len(args))
	for i, n := range args {
		plain[i] = api.EncodeI64(n)
		if r.m.export[name].Definition().ParamTypes()[i] == api.ValueTypeI32 {
			plain[i] = api.EncodeI32(int32(n))
		}
	}
	n, err := r.m.call(name, plain...)
	require.NoError(r.t, err)
	return n
}

// write writes hexadecimal digits to memory.
func (r raw) write(at int32, digits string) {
	r.t.Helper()
	b, err := hex.DecodeString(digits)
	require.NoError(r.t, err)
	require.True(r.t, r.m.memory.Write(uint32(at), b))
}

// numbers reads n numbers of 32 bits.
func (r raw) numbers(at int32, n int) []uint32 {
	r.t.Helper()
	out := make([]uint32, n)
	for i := range out {
		var ok bool
		out[i], ok = r.m.memory.ReadUint32Le(uint32(at) + uint32(4*i))
		require.True(r.t, ok)
	}
	return out
}

func (r raw) read(at, size uint32) string {
	r.t.Helper()
	b, ok := r.m.memory.Read(at, size)
	require.True(r.t, ok)
	return string(b)
}
