package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds the module with the go command, in a folder that it makes and
// removes again. It must be called within this Go module.
func Build(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "epmd-wasm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "epmd.wasm")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w",
		"-o", file, "github.com/goepmd/goepmd/fuzz/wasm")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the WebAssembly module: %w\n%s", err, out)
	}
	return os.ReadFile(file)
}
