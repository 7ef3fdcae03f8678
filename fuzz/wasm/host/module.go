// Package host runs the EPMD that is compiled to WebAssembly, and gives it the
// methods that a machine in this program has. The functions that it calls are
// described in README.md, one folder up.
package host

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// abiVersion is the version of the functions that this package calls.
const abiVersion = 1

// functions are those that a module must export; the first tells the version.
var functions = []string{
	"epmd_abi_version", "epmd_alloc", "epmd_free",
	"epmd_daemon_new", "epmd_daemon_delete", "epmd_open", "epmd_want",
	"epmd_feed", "epmd_end", "epmd_advance", "epmd_state", "epmd_result",
}

// Module is one instance. It may hold many daemons, which may be used by
// several goroutines: one call runs at a time. Make it with [Load].
type Module struct {
	runtime wazero.Runtime
	memory  api.Memory
	export  map[string]api.Function

	mu     sync.Mutex
	stderr bytes.Buffer // what it printed, which is why it crashed
}

// Load compiles and starts a module. It fails if the bytes are none, or one of
// another version. The context is for the compiler; calls never wait.
func Load(ctx context.Context, wasm []byte) (*Module, error) {
	return load(ctx, wasm, wazero.NewRuntimeConfig())
}

func load(ctx context.Context, wasm []byte, config wazero.RuntimeConfig) (*Module, error) {
	m := &Module{runtime: wazero.NewRuntimeWithConfig(ctx, config), export: make(map[string]api.Function)}
	if err := m.start(ctx, wasm); err != nil {
		return nil, errors.Join(err, m.runtime.Close(ctx))
	}
	return m, nil
}

func (m *Module) start(ctx context.Context, wasm []byte) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err != nil {
		return err
	}
	config := wazero.NewModuleConfig().
		WithStartFunctions("_initialize").
		WithRandSource(rand.Reader).
		WithStderr(&m.stderr)
	instance, err := m.runtime.InstantiateWithConfig(ctx, wasm, config)
	if err != nil {
		return fmt.Errorf("start the module: %w%s", err, m.printed())
	}
	m.memory = instance.Memory()
	return m.find(instance)
}

// find finds the functions, and looks at their version before all else.
func (m *Module) find(instance api.Module) error {
	for i, name := range functions {
		f := instance.ExportedFunction(name)
		if f == nil {
			return fmt.Errorf("the module does not export %s", name)
		}
		m.export[name] = f
		if i > 0 {
			continue
		}
		version, err := m.call(name)
		if err != nil {
			return err
		}
		if version != abiVersion {
			return fmt.Errorf("the module has version %d, expected %d", version, abiVersion)
		}
	}
	return nil
}

// Close ends the instance and frees what it held. Its daemons are of no use
// after that.
func (m *Module) Close(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runtime.Close(ctx)
}

// call calls a function; m.mu is held. The error says why the module crashed.
// What the function itself refuses is a negative result.
func (m *Module) call(name string, args ...uint64) (int32, error) {
	out, err := m.export[name].Call(context.Background(), args...)
	if err != nil {
		return 0, fmt.Errorf("%s: the module has crashed: %w%s", name, err, m.printed())
	}
	return api.DecodeI32(out[0]), nil
}

// check is call for a function that refuses with a negative number.
func (m *Module) check(name string, args ...uint64) (int32, error) {
	n, err := m.call(name, args...)
	if err == nil && n < 0 {
		err = fmt.Errorf("%s: %w", name, Status(n))
	}
	return n, err
}

// printed is what the module has printed, on lines of its own.
func (m *Module) printed() string {
	if m.stderr.Len() == 0 {
		return ""
	}
	return "\n" + m.stderr.String()
}
